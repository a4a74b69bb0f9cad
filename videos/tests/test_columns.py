"""Which CSV column fills a variable of a script."""
# ruff: noqa: RUF001 - letters that look alike are the data here

import pytest

from videos.batches.columns import AmbiguousColumn, NoColumn, as_variable_name, columns_for, is_variable_name, match_key


@pytest.mark.parametrize(
    ("variable", "column"),
    [
        ("name", "Name"),
        ("NAME", "name"),
        ("prenom", "Prénom"),
        ("Grosse", "Größe"),
        ("name", "na\u200bme\ufeff"),
        ("имя", "ИМЯ"),
        ("isim", "İSİM"),
        ("name", "ｎａｍｅ"),
    ],
)
def test_a_column_fills_a_variable_whatever_its_case_and_marks(variable, column):
    assert columns_for([variable], ["other", column]) == {variable: column}


def test_a_column_of_the_exact_name_goes_before_one_that_differs_in_case():
    assert columns_for(["name", "NAME"], ["Name", "name", "NAME"]) == {"name": "name", "NAME": "NAME"}


@pytest.mark.parametrize(
    ("columns", "repeated", "which"),
    [
        (["Name", "NAME"], [], "the columns 'Name' and 'NAME' both fit"),
        (["name", "name (2)"], ["name"], "more than one column is called 'name'"),
        (["Name", "Name (2)"], ["Name"], "more than one column is called 'Name'"),
    ],
)
def test_two_columns_that_fit_a_variable_are_refused(columns, repeated, which):
    with pytest.raises(AmbiguousColumn) as refusal:
        columns_for(["name"], columns, repeated)
    assert str(refusal.value) == f"What fills name is not clear: {which}. Rename all but one."


def test_two_columns_of_one_name_that_no_variable_uses_are_permitted():
    assert columns_for(["city"], ["name", "name (2)", "city"], ["name"]) == {"city": "city"}


@pytest.mark.parametrize(
    ("variables", "columns", "says"),
    [
        (["name"], ["town", "E-mail"], "No column fills name. The columns are 'town', 'E-mail'."),
        (["name"], [], "No column fills name."),
        (["first_name"], ["First name"], "No column fills first_name. Rename the column 'First name' to first_name."),
        (["_1st", "x"], ["1st"], "No column fills _1st, x. Rename the column '1st' to _1st."),
        (["x"], list("abcdefghijklm"), f"No column fills x. The columns are {str(list('abcdefghij'))[1:-1]}, …."),
    ],
)
def test_a_variable_that_no_column_fills_is_refused_with_what_to_do(variables, columns, says):
    with pytest.raises(NoColumn) as refusal:
        columns_for(variables, columns)
    assert str(refusal.value) == says


@pytest.mark.parametrize("name", ["name", "_x", "имя", "नाम", "名前", "a" * 64])
def test_variable_names_are_recognised(name):
    assert (is_variable_name(name), as_variable_name(name)) == (True, name)


@pytest.mark.parametrize("name", ["", "1st", "first name", "E-mail", "a" * 65, "a.b"])
def test_text_that_is_no_variable_name_is_found_to_resemble_one(name):
    assert (is_variable_name(name), is_variable_name(as_variable_name(name))) == (False, True)


def test_different_characters_without_marks_are_not_confused():
    assert match_key("o") != match_key("ø") != match_key("a")
