from django.apps import AppConfig


class BureauConfig(AppConfig):
    name = "bureau"
    verbose_name = "教育局"

    def ready(self) -> None:
        from bureau.access import desk

        desk.plug_in()
