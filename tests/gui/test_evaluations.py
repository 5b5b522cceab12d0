"""The folders in which tables of the window keep their cells."""

from __future__ import annotations

import os
import shutil

from gui.session.evaluations import MOST_TABLES, begin_table, table_folder, tables_folder


def test_every_name_has_a_folder_of_its_own_within_that_of_all_tables() -> None:
    names = ["Digits", "digits", "Digits!", "a/b", "a b", "", "..", "Ziffern ü", "x" * 400]
    folders = [table_folder(name) for name in names]
    assert len(set(folders)) == len(names)
    assert {folder.parent for folder in folders} == {tables_folder()}
    assert all(len(folder.name) < 100 for folder in folders)


def test_the_oldest_tables_are_removed_and_the_present_one_never() -> None:
    shutil.rmtree(tables_folder(), ignore_errors=True)
    made = [table_folder(f"table {number}") for number in range(MOST_TABLES + 3)]
    for place, folder in enumerate(made):
        (folder / "cells").mkdir(parents=True)
        os.utime(folder, (1_000_000 + place, 1_000_000 + place))
    begin_table(made[0])  # the oldest becomes the newest
    assert [folder.is_dir() for folder in made] == [True] + [False] * 3 + [True] * (MOST_TABLES - 1)
    new = table_folder("new")
    begin_table(new)
    assert new.is_dir()
    assert [folder.is_dir() for folder in made] == [True] + [False] * 4 + [True] * (MOST_TABLES - 2)
