from django.apps import AppConfig


class StudentsConfig(AppConfig):
    name = "students"
    verbose_name = "学生"

    def ready(self) -> None:
        from students import auditing, desk, figures
        from students.views import merging

        auditing.plug_in()
        desk.plug_in()
        figures.plug_in()
        merging.plug_in()
