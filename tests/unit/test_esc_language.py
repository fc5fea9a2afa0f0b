"""The ESC language: what a definition may say, how its parts find each other, what is imported, what is reported where."""

from __future__ import annotations

from typing import Any

import pytest

from esc.language import Evaluation, Number, Severity, open_environment, to_json
from tests.unit.esc_definitions import checked, data, loader, marks, only, opened, told


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1.0", "#1"),
        ("1000000.0", "#1e+06"),
        ("123456.7", "#123456.7"),
        ("1234567.5", "#1.2345675e+06"),
        ("0.0001", "#0.0001"),
        ("1e-5", "#1e-05"),
        (".5", "#0.5"),
        ("1e6", "#1e+06"),
        ("1000000", "#1000000"),
        ("0x1F", "#31"),
        ("-0o17", "#-15"),
        ("017", "#15"),
        ("08", "#8"),
        ("0b101", "#5"),
        ("1_000", "#1000"),
        ("18446744073709551615", "#18446744073709551615"),
        ("18446744073709551616", "#1.8446744073709552e+19"),
        ("1e999", "1e999"),
        ("TRUE", True),
        ("yes", "yes"),
        ("on", "on"),
        ("~", None),
        ("", None),
        ("NULL", None),
        ("2001-01-01", "2001-01-01"),
        ("1:30", "1:30"),
        ("'42'", "42"),
        ("!!str 42", "42"),
        ("<<", "<<"),
    ],
)
def test_scalars_mean_what_yaml_1_2_says(written: str, meant: Any) -> None:
    assert data(opened(f"values:\n  a: {written}\n")) == {"a": meant}


def test_numbers_keep_their_text_in_json() -> None:
    document = opened("values: {a: 1e6, b: {fn::fromJSON: '[1.50]'}}").environment
    assert document is not None
    assert to_json(document.plain()) == '{"a":1e+06,"b":[1.50]}'


@pytest.mark.parametrize(
    ("text", "path", "summary"),
    [
        ("values: {a: .inf}", "values.a", ".inf is not a number that can be represented in JSON"),
        ("values: {a: &x 1, b: *x}", "values.b", "alias nodes are not supported"),
        ("values: {1: a}", 'values["1"]', "mapping keys must be strings"),
        ("# nothing\n", "", "environment must be an object"),
        ("- a\n", "", "environment must be an object"),
        ("imports: a", "imports", "imports must be a list"),
        ("values: [a]", "values", "values must be an object"),
        ("values:", "values", "values must be an object"),
        ("description: [a]", "description", "description must be a string"),
        ("imports: [3]", "imports[0]", "import must be a string or an object"),
        ("imports: [{a: {}, b: {}}]", "imports[0]", "import must have a single key"),
        ("imports: [{a: {merge: 1}}]", "imports[0].a.merge", "merge must be a boolean value"),
        ("values: {context: 1}", "values.context", '"context" is a reserved key'),
        ("values: {environments: 1}", "values.environments", '"environments" is a reserved key'),
        ("values: {a: {b: 1, b: 2}}", "values.a.b", 'duplicate key "b"'),
        ("values: {a: {'${b}': 1}}", 'values.a["${b}"]', "object keys must be strings"),
        ("values: {a: {fn::nope: 1}}", "values.a", "'fn::' is a reserved prefix"),
        ("values: {a: {Fn::Secret: x}}", "values.a", "'fn::' is a reserved prefix"),
        (
            "values: {fn::secret: x}",
            'values["fn::secret"]',
            'builtin function call "fn::secret" not allowed at the top level',
        ),
        (
            "values: {a: {fn::secret: x, b: 1}}",
            "values.a",
            'illegal call to builtin function: "fn::secret" must be the only key within its containing object',
        ),
        ("values: {a: {fn::secret: 42}}", 'values.a["fn::secret"]', "secret values must be string literals"),
        ("values: {a: {fn::secret: 'x ${b}'}}", 'values.a["fn::secret"]', "secret values must be string literals"),
        (
            "values: {a: {fn::rotate::x: {inputs: 1, state: x}}}",
            'values.a["fn::rotate::x"].state',
            "rotation state must be an object literal",
        ),
        ("values: {a: {fn::validate: {value: 1}}}", 'values.a["fn::validate"]', "missing required property 'schema'"),
        ("values: {a: '${b'}", "values.a", "missing closing brace '}' in interpolation"),
        ("values: {a: '${b c}'}", "values.a", "missing closing brace '}' in interpolation"),
        ("values: {a: '${b.}'}", "values.a", "property name must not be empty"),
        ("values: {a: '${b[x]}'}", "values.a", "numeric subscript must be a positive base-10 integer"),
        ("values: {a: '${b[1}'}", "values.a", "subscript is missing closing bracket ']'"),
        ("values: {a: '${b[\"\"]}'}", "values.a", "key subscript must not be empty"),
        (
            "values: {a: '${[0]}'}",
            "values.a",
            "the first accessor must be a property name or key subscript, not a numeric subscript",
        ),
    ],
)
def test_mistakes_in_the_text_are_reported_where_they_are(text: str, path: str, summary: str) -> None:
    evaluation = checked(text, a="values: {}")
    assert (path, summary) in told(evaluation)
    assert evaluation.failed


def test_an_empty_definition_is_valid() -> None:
    assert checked("") == Evaluation([])


def test_unknown_and_repeated_fields_are_warnings() -> None:
    evaluation = checked("value: 1\nvalues: {a: 1}\nvalues: {b: 2}\nDescription: fields are found in any case\n")
    assert data(evaluation) == {"b": "#2"}
    nearest_first = "'values', 'imports', 'description'"
    assert told(evaluation) == [
        (
            "value",
            f"Field 'value' does not exist on Object 'environment'. Existing fields are: {nearest_first}",
        ),
        ("values", 'duplicate key "values"'),
    ]
    assert {one.severity for one in evaluation.diagnostics} == {Severity.WARNING}


def test_syntax_errors_stop_the_evaluation() -> None:
    assert checked("values: {a: '${b', c: '${nowhere}'}").environment is None
    assert str(only(checked("values: [")).summary).startswith("yaml: ")


def test_strings() -> None:
    text = """
values:
  name: {part: [1, {deep: x}], "a.b": y, "q\\"q": z}
  whole: ${name.part}
  text: <${name.part[1].deep}> $$ $ ${name["a.b"]}${name["q\\"q"]} $${name}
  hyphen-ated: h
  uses: ${hyphen-ated}
"""
    values = data(opened(text))
    assert values["whole"] == ["#1", {"deep": "x"}]
    assert values["text"] == "<x> $ $ yz ${name}"
    assert values["uses"] == "h"


def test_values_as_text() -> None:
    text = """
values:
  all: {b: true, n: 1.5, z: null, s: "q\\"\\n", l: [1, [x]], o: {}}
  text: "${all} "
  same: {fn::toString: "${all}"}
  empty: "<${all.z}>"
"""
    values = data(opened(text))
    nested = r'"\"1\",\"\\\"x\\\"\""'
    assert values["same"] == f'"b"="true","l"={nested},"n"="1.5","o"="","s"="q\\"\\n","z"=""'
    assert values["text"] == values["same"] + " "
    assert values["empty"] == "<>"


@pytest.mark.parametrize(
    ("access", "summary"),
    [
        ("nope", 'unknown property "nope"'),
        ("o.camel_case", 'unknown property "camel_case"; did you mean "camelCase"?'),
        ("o.camelcas", 'unknown property "camelcas"; did you mean "camelCase"?'),
        ("o.xyz", 'unknown property "xyz"'),
        ("l[2]", "array index 2 out-of-bounds for array of length 2"),
        ("l[-1]", "array indices must not be negative"),
        ("l.a", "cannot access an array element using a property name"),
        ("o[0]", "cannot access an object property using an integer index"),
        ("s.a", "receiver must be an array or an object"),
        ("", 'unknown property ""'),
    ],
)
def test_accesses_that_lead_nowhere_give_unknown(access: str, summary: str) -> None:
    evaluation = opened(f"values:\n  o: {{camelCase: 1}}\n  l: [1, 2]\n  s: text\n  a: ${{{access}}}\n  b: x${{a}}\n")
    assert told(evaluation) == [("values.a", summary)]
    assert marks(evaluation, "a") == marks(evaluation, "b") == (False, True)


def test_siblings_may_refer_to_each_other_and_cycles_are_found() -> None:
    assert data(opened("values: {a: {x: '${a.y}', y: '${a.z}', z: 1}}")) == {"a": {"x": "#1", "y": "#1", "z": "#1"}}
    evaluation = opened("values: {a: {p: '${b}'}, b: '${a.p}'}")
    assert told(evaluation) == [("values.a.p", "cyclic reference to a.p")]
    assert marks(evaluation, "b") == (False, True)


def test_positions() -> None:
    text = 'values:\n  "日本": ok\n  é: a ${nope}\n  q: "${nope}"\n  b: |\n    x\n    ${nope}\n'
    found = {one.place.path: one.place.range for one in opened(text).diagnostics}
    plain, quoted, block = found['values["é"]'], found["values.q"], found["values.b"]
    assert plain is not None
    assert quoted is not None
    assert block is not None
    assert (plain.begin.line, plain.begin.column, plain.begin.byte) == (3, 10, 33)
    assert text.encode()[plain.begin.byte : plain.end.byte] == b"nope"
    # Inside quotes and blocks the whole scalar is blamed.
    assert (quoted.begin.line, quoted.begin.column) == (4, 6)
    assert (block.begin.line, block.end.line) == (5, 7)


def test_diagnostics_read_like_a_compilers() -> None:
    assert str(only(checked("values:\n  a: ${b}\n"))) == 'proj/env:2:8: unknown property "b"'


def test_later_imports_and_own_values_override() -> None:
    evaluation = opened(
        "imports: [p/a, p/b]\nvalues: {o: {own: 1, n: null}, l: [9], hidden: text, ref: '${deep}'}\n",
        p__a="values: {o: {a: 1, both: a, n: 1}, l: [1, 2], hidden: {x: 1}, ref: {kept: 1}, deep: {d: 1}}",
        p__b="values: {o: {b: 2, both: b}}",
    )
    assert data(evaluation) == {
        "o": {"a": "#1", "b": "#2", "both": "b", "n": None, "own": "#1"},
        "l": ["#9"],
        "hidden": "text",
        "ref": {"kept": "#1", "d": "#1"},
        "deep": {"d": "#1"},
    }


def test_an_imported_expression_sees_its_own_environment() -> None:
    evaluation = opened("imports: [p/a]\nvalues: {x: mine}\n", p__a="values: {x: theirs, uses: '${x}'}")
    assert data(evaluation) == {"x": "mine", "uses": "theirs"}


def test_properties_of_the_base_can_be_referred_to() -> None:
    evaluation = opened("imports: [p/a]\nvalues: {o: {own: '${o.theirs}'}}\n", p__a="values: {o: {theirs: 1}}")
    assert data(evaluation) == {"o": {"own": "#1", "theirs": "#1"}}


def test_imports_can_be_used_without_being_merged() -> None:
    evaluation = opened(
        "imports: [{p/a: {merge: false}}, p/b@3]\nvalues: {x: '${imports[\"p/a\"].v}', y: '${imports[\"p/b@3\"].w}'}\n",
        p__a="values: {v: 1}",
        **{"p/b@3": "values: {w: 2}"},
    )
    assert data(evaluation) == {"x": "#1", "y": "#2", "w": "#2"}


def test_environments_can_be_referred_to_inline() -> None:
    evaluation = opened(
        "values: {x: '${environments.p.a.v}', y: '${environments.p.absent.v}'}", p__a="values: {v: {fn::secret: s}}"
    )
    assert told(evaluation) == [("values.y", 'environment "p/absent" not found')]
    assert marks(evaluation, "x") == (True, False)
    assert marks(evaluation, "y") == (False, True)


def test_trouble_with_imports_is_reported_at_the_import_or_in_the_imported_file() -> None:
    evaluation = opened(
        "imports: [p/broken, p/absent, p/wrong]\nvalues: {mine: 1}\n",
        p__broken="values: {a: '${'}",
        p__wrong="values:\n  ok: 1\n  bad: ${nope}\n",
    )
    assert [str(one) for one in evaluation.diagnostics] == [
        "p/broken:1:13: missing closing brace '}' in interpolation",
        'proj/env:1:21: environment "p/absent" not found',
        'p/wrong:3:10: unknown property "nope"',
    ]
    assert evaluation.environment is not None
    assert evaluation.environment.plain()["ok"] == Number("1")


def test_cyclic_imports_are_found() -> None:
    evaluation = opened("imports: [p/a]", p__a="imports: [p/b]", p__b="imports: [p/a, proj/env]\nvalues: {x: 1}")
    assert [one.summary for one in evaluation.diagnostics] == ["cyclic import of p/a", "cyclic import of proj/env"]


def test_the_context_names_the_environments() -> None:
    names = "values: {n: '${context.currentEnvironment.name} in ${context.rootEnvironment.name}'}"
    assert data(opened("imports: [p/a]", p__a=names)) == {"n": "p/a in proj/env"}
    anonymous = open_environment("<yaml>", "imports: [p/a]", loader({"p/a": "imports: [p/b]", "p/b": names}))
    assert data(anonymous) == {"n": "p/b in p/a"}
    login = open_environment(
        "p/e", "values: {l: '${context.pulumi.user.login}'}", loader({}), context={"pulumi": {"user": {"login": "me"}}}
    )
    assert data(login) == {"l": "me"}
