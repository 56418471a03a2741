"""Which term a day belongs to."""

from datetime import date

from bureau.organisation.models import County, Term


def term_on(county: County, day: date) -> Term | None:
    """The term under way on `day`, in vacations the one before, else the first there is."""
    terms = Term.objects.filter(county=county).select_related("school_year")
    return (
        terms.filter(starts_on__lte=day).order_by("-starts_on").first() or terms.order_by("starts_on").first()
    )
