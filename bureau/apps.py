from django.apps import AppConfig


class BureauConfig(AppConfig):
    name = "bureau"
    verbose_name = "教育局"

    def ready(self) -> None:
        from bureau.access import desk
        from bureau.organisation import change_views
        from bureau.year import views as year_views

        desk.plug_in()
        change_views.plug_in()
        year_views.plug_in()
