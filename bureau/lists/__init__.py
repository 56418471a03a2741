"""List pages that stay quick: declared orders, keyset pages, filters in the address, a count that stops at 10,000.

    class Children(Listing):
        unit = "人"
        orders = [Order("name", "姓名", "person__pinyin"), Order("due", "期限", "due_on")]
        filters = [Search("q", "关键字", by_words), Choice("town", "乡镇", townships, by_town)]

    page = Children(Student.objects.visible_to(request.user), request.GET).page()

Give `page` to `_listing.html`'s pieces: `_filters.html`, `_sort.html`, `_pager.html`.
"""

from bureau.lists.filters import Choice, Day, Filter, Refused, Search
from bureau.lists.listing import Listing, count_up_to
from bureau.lists.orders import Order
from bureau.lists.page import MOST_COUNTED, Page

__all__ = [
    "MOST_COUNTED",
    "Choice",
    "Day",
    "Filter",
    "Listing",
    "Order",
    "Page",
    "Refused",
    "Search",
    "count_up_to",
]
