"""Publish single files that Python wheels ship as ordinary static files, so nothing third-party is copied here."""

from importlib.util import find_spec
from pathlib import Path

from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.utils import matches_patterns
from django.core.files.storage import FileSystemStorage

ASSETS = {"vendor/plotly/plotly.min.js": ("plotly", "package_data/plotly.min.js")}


class _OneFolder(FileSystemStorage):
    prefix = ""


class WheelAssetFinder(BaseFinder):
    """Finds the files of ASSETS inside installed wheels without importing the packages."""

    def _path(self, name: str) -> Path:
        package, relative = ASSETS[name]
        return Path(find_spec(package).submodule_search_locations[0]) / relative

    def find(self, path, find_all=False, **kwargs):
        if path not in ASSETS:
            return [] if find_all else None
        found = str(self._path(path))
        return [found] if find_all else found

    def list(self, ignore_patterns):
        for name in ASSETS:
            if not matches_patterns(name, ignore_patterns or []):
                path = self._path(name)
                storage = _OneFolder(location=str(path.parent))
                storage.prefix = str(Path(name).parent)
                yield path.name, storage
