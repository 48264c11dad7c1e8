"""The closing tables that the programs wrote, and how to find a number in them."""
import json
import os


class Table:
    def __init__(self, document):
        self.title = document["title"]
        self.columns = document["columns"]
        self.rows = document["rows"]
        self.note = document["note"]

    def records(self, **wanted):
        """Rows as dictionaries; those whose cells equal the wanted ones (spaces in names as underscores)."""
        records = [dict(zip(self.columns, row)) for row in self.rows]
        return [r for r in records if all(r.get(k.replace("_", " ")) == v for k, v in wanted.items())]

    def markdown(self):
        lines = ["| " + " | ".join(self.columns) + " |",
                 "|:--" + "|--:" * (len(self.columns) - 1) + "|"]
        lines += ["| " + " | ".join(shown(cell) for cell in row) + " |" for row in self.rows]
        return "\n".join(lines) + ("\n\n" + self.note if self.note else "") + "\n"


def shown(cell):
    if cell is None:
        return "-"
    if isinstance(cell, float):
        size = abs(cell)
        return f"{cell:.{0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3}f}"
    return str(cell)


class Results:
    """The results of a folder, by job."""

    def __init__(self, folder):
        self.folder = folder

    def document(self, job):
        try:
            with open(os.path.join(self.folder, job + ".json"), encoding="utf-8") as source:
                return json.load(source)
        except OSError:
            return None

    def tables(self, job):
        document = self.document(job)
        return [Table(t) for t in document["tables"]] if document else []

    def table(self, job, title):
        """The job's table whose title begins so, or none."""
        return next((t for t in self.tables(job) if t.title.startswith(title)), None)

    def records(self, job, title, **wanted):
        table = self.table(job, title)
        return table.records(**wanted) if table else []

    def value(self, job, title, column, **wanted):
        """One number, or None where it was not measured."""
        found = self.records(job, title, **wanted)
        return found[0].get(column) if found else None
