"""Which file an import means, and what a file is called when it is imported."""

import sys

from .tree import folder_of, join, name_of


class Modules:
    """`own_mellea`: the tree is the mellea project itself, whose package is what PyPI has."""

    def __init__(self, paths, own_mellea):
        self._files = {path for path in paths if path.endswith(".py")}
        self._folders = set()
        for path in self._files:
            folder = folder_of(path)
            while folder and folder not in self._folders:
                self._folders.add(folder)
                folder = folder_of(folder)
        self.own_mellea = own_mellea
        self.shadows = sorted(path for path in self._files if path.endswith(("mellea.py", "mellea/__init__.py")) and self._is_mellea(path))
        self._roots = {}

    @staticmethod
    def _is_mellea(path):
        name = name_of(path)
        return name == "mellea.py" or (name == "__init__.py" and name_of(folder_of(path)) == "mellea")

    def package_root(self, path):
        """The folder that has to be on the path for the file to be imported."""
        folder = folder_of(path)
        while folder and join(folder, "__init__.py") in self._files:
            folder = folder_of(folder)
        return folder

    def module_name(self, path):
        """The dotted name, and whether an import statement can say it."""
        root = self.package_root(path)
        inner = path[len(root) :].lstrip("/").removesuffix(".py").removesuffix(".ipynb")
        parts = inner.split("/")
        if len(parts) > 1 and parts[-1] == "__init__":
            parts.pop()
        return ".".join(parts), path.endswith(".py") and all(part.isidentifier() for part in parts)

    def absolute(self, dotted, path):
        """What `import dotted` in `path` means: ("module", path), ("folder", path), ("missing",) or None for what is not in the tree."""
        parts = dotted.split(".")
        if parts[0] == "mellea" and self.own_mellea:
            return None
        roots = self._roots_of(path)
        for root in roots:
            top = self._module_at(join(root, parts[0]))
            if top is not None:
                return self._descend(join(root, parts[0]), parts[1:], top)
        if parts[0] in sys.stdlib_module_names or parts[0] == "mellea":
            return None
        for root in roots:
            folder = join(root, parts[0])
            if folder in self._folders:
                found = self._descend(folder, parts[1:], ("folder", folder))
                if found[0] != "missing":
                    return found
        return None

    def relative(self, level, dotted, path):
        folder = folder_of(path)
        for _ in range(level - 1):
            if not folder:
                return ("missing",)
            folder = folder_of(folder)
        if not dotted:
            return self._module_at(folder) or ("folder", folder)
        return self._descend(folder, dotted.split("."), ("folder", folder))

    def packages_above(self, target, path):
        """What is run besides, when a file is imported: the packages that it is in, but for those that the importing file is in too."""
        found = []
        folder = folder_of(target)
        while folder and not path.startswith(f"{folder}/"):
            if join(folder, "__init__.py") in self._files:
                found.append(("module", join(folder, "__init__.py")))
            folder = folder_of(folder)
        return found

    def child(self, folder, name):
        """A module or package of a folder; None when there is none of that name."""
        return self._module_at(join(folder, name)) or (("folder", join(folder, name)) if join(folder, name) in self._folders else None)

    def _descend(self, folder, parts, found):
        for part in parts:
            folder = join(folder, part)
            found = self._module_at(folder) or (("folder", folder) if folder in self._folders else None)
            if found is None:
                return ("missing",)
        return found

    def _module_at(self, stem):
        package = join(stem, "__init__.py")
        if package in self._files:
            return ("module", package)
        return ("module", f"{stem}.py") if f"{stem}.py" in self._files else None

    def _roots_of(self, path):
        folder = folder_of(path)
        if folder not in self._roots:
            # As a part of its package; started as a script; from the top of the tree.
            self._roots[folder] = list(dict.fromkeys([self.package_root(path), folder, "", "src"]))
        return self._roots[folder]
