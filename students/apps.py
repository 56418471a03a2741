from django.apps import AppConfig


class StudentsConfig(AppConfig):
    name = "students"
    verbose_name = "学生"

    def ready(self) -> None:
        from students import (
            auditing,
            closing_terms,
            desk,
            desk_groups,
            desk_moving,
            desk_turning,
            figures,
            group_figures,
            handing_on,
        )
        from students.actions import following
        from students.views import merging

        auditing.plug_in()
        desk.plug_in()
        desk_turning.plug_in()
        desk_moving.plug_in()
        closing_terms.plug_in()
        following.plug_in()
        figures.plug_in()
        group_figures.plug_in()
        desk_groups.plug_in()
        handing_on.plug_in()
        merging.plug_in()
