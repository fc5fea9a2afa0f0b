"""The ESC language, rule by rule: what a definition may say, what it means, and what is reported where."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from esc.language import (
    Diagnostic,
    Evaluation,
    Loader,
    LoadError,
    Number,
    ProviderError,
    Secret,
    Severity,
    Source,
    check,
    open_environment,
    parse_schema,
    reveal,
    to_json,
)
from esc.language.envelope import wrap
from esc.language.paths import format_path, parse_path

SALT = b"salt and pepper"


def decrypt(encrypted: bytes) -> bytes:
    if encrypted == b"wrong-key":
        raise ValueError("made with another key")
    return encrypted[::-1].removesuffix(SALT)


def stored(plaintext: str) -> str:
    """The ciphertext in a definition that decrypts to ``plaintext``."""
    return wrap((plaintext.encode() + SALT)[::-1])


def loader(others: Mapping[str, str]) -> Loader:
    def load(name: str) -> Source:
        if name not in others:
            raise LoadError(f'environment "{name}" not found')
        return Source(others[name], decrypt)

    return load


class Vending:
    """A provider that gives what it is asked for, as a secret."""

    inputs = parse_schema({"type": "object", "properties": {"item": {"type": "string"}}, "required": ["item"]})
    outputs = parse_schema({"type": "object", "properties": {"got": {"type": "string"}}, "required": ["got"]})

    def __init__(self) -> None:
        self.calls = 0

    def open(self, inputs: dict[str, Any]) -> Any:
        self.calls += 1
        item = reveal(inputs["item"])
        if item == "nothing":
            raise ProviderError("sold out")
        return Secret({"got": f"a {item}"})


def opened(text: str, **others: str) -> Evaluation:
    named = {name.replace("__", "/"): other for name, other in others.items()}
    return open_environment("proj/env", text, loader(named), decrypter=decrypt, providers={"vending": Vending()})


def checked(text: str, **others: str) -> Evaluation:
    named = {name.replace("__", "/"): other for name, other in others.items()}
    return check("proj/env", text, loader(named), decrypter=decrypt, providers={"vending": Vending()})


def data(evaluation: Evaluation) -> dict[str, Any]:
    """The values, numbers by their text."""
    assert [str(one) for one in evaluation.diagnostics if one.severity is Severity.ERROR] == []
    assert evaluation.environment is not None

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(one) for key, one in value.items()}
        if isinstance(value, list):
            return [plain(one) for one in value]
        return f"#{value.text}" if isinstance(value, Number) else value

    result: dict[str, Any] = plain(evaluation.environment.plain())
    return result


def told(evaluation: Evaluation) -> list[tuple[str, str]]:
    """The findings by path and summary."""
    return sorted((one.place.path, one.summary) for one in evaluation.diagnostics)


def only(evaluation: Evaluation) -> Diagnostic:
    (found,) = evaluation.diagnostics
    return found


def marks(evaluation: Evaluation, *path: str | int) -> tuple[bool, bool]:
    """Whether the value at ``path`` is secret, and whether it is unknown."""
    assert evaluation.environment is not None
    value: Any = {"value": evaluation.environment.document["properties"]}
    for step in path:
        value = value["value"][step]
    return bool(value.get("secret")), bool(value.get("unknown"))


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


def test_json_and_base64() -> None:
    text = """
values:
  json: {fn::toJSON: {b: "<&>", a: [1.50, null]}}
  parsed: {fn::fromJSON: '{"a b": [1.50, true]} and what follows'}
  there: {fn::toBase64: é}
  back: {fn::fromBase64: "${there}"}
"""
    values = data(opened(text))
    assert values["json"] == '{"a":[1.5,null],"b":"\\u003c\\u0026\\u003e"}'
    assert values["parsed"] == {"a b": ["#1.50", True]}
    assert (values["there"], values["back"]) == ("w6k=", "é")


def test_bytes_survive_a_round_trip_through_base64() -> None:
    assert data(opened("values: {a: {fn::toBase64: {fn::fromBase64: /w==}}}")) == {"a": "/w=="}


@pytest.mark.parametrize(
    ("call", "summary"),
    [
        ("{fn::fromBase64: 'ab*d'}", "decoding base64 string: illegal base64 data at input byte 2"),
        ("{fn::fromBase64: 'YQ'}", "decoding base64 string: illegal base64 data at input byte 0"),
        ("{fn::fromJSON: ''}", "decoding JSON string: EOF"),
        ("{fn::fromJSON: '{\"a\": '}", "decoding JSON string: unexpected EOF"),
        ("{fn::fromJSON: '[1 2]'}", "decoding JSON string: invalid character '2' after array element"),
        ("{fn::fromJSON: nope}", "decoding JSON string: invalid character 'o' in literal null (expecting 'u')"),
        ("{fn::join: [',', '${list}']}", "[1]: expected string, got number"),
        ("{fn::join: [1, [a]]}", "expected string, got number"),
        ("{fn::concat: [[1], 2]}", "expected array, got number"),
        ("{fn::toBase64: [a]}", "expected string, got array"),
        ("{fn::open::nobody: {}}", 'unknown provider "nobody"'),
        ("{fn::rotate::nobody: {inputs: {}}}", 'unknown rotator "nobody"'),
        ("{fn::open::vending: {}}", "missing required properties: item"),
        ("{fn::open::vending: {item: nothing}}", "sold out"),
    ],
)
def test_builtins_that_fail_give_unknown(call: str, summary: str) -> None:
    evaluation = opened(f"values:\n  list: [a, 1]\n  a: {call}\n")
    assert [one.summary.removeprefix("[1]: ") for one in evaluation.diagnostics] == [summary.removeprefix("[1]: ")]
    assert marks(evaluation, "a") == (False, True)


def test_lists_are_joined_split_and_concatenated() -> None:
    text = """
values:
  parts: {fn::split: [", ", "a, b"]}
  letters: {fn::split: ["", "hé"]}
  joined: {fn::join: ["-", "${parts}"]}
  more: {fn::concat: ["${parts}", [[c]]]}
"""
    assert data(opened(text)) == {
        "parts": ["a", "b"],
        "letters": ["h", "é"],
        "joined": "a-b",
        "more": ["a", "b", ["c"]],
    }


def test_to_yaml() -> None:
    text = """
values:
  a:
    fn::toYAML:
      port: 42
      flag: true
      word: "yes"
      date: "2001-01-01"
      spaced: " x"
      lines: "one\\ntwo\\n"
      list: [{k: v, l: [1]}, []]
      t10: null
      t9: {}
"""
    assert data(opened(text))["a"] == (
        'date: "2001-01-01"\nflag: true\nlines: |\n    one\n    two\nlist:\n    - k: v\n      l:\n        - "1"\n'
        '    - []\nport: "42"\nspaced: \' x\'\nt9: {}\nt10: null\nword: "yes"\n'
    )


def test_final_values_cannot_be_overridden_by_importers() -> None:
    evaluation = opened(
        "imports: [p/a]\nvalues: {f: mine, o: {k: mine, free: mine}}\n",
        p__a="values: {f: {fn::final: theirs}, o: {k: {fn::final: theirs}, free: theirs}}",
    )
    assert data(evaluation) == {"f": "theirs", "o": {"k": "theirs", "free": "mine"}}
    assert told(evaluation) == [
        ("values.f", "cannot override final value"),
        ("values.o.k", "cannot override final value"),
    ]
    assert not evaluation.failed


def test_validate_gives_the_value_and_reports_what_does_not_fit() -> None:
    text = """
values:
  schema: {type: object, properties: {port: {type: number, minimum: 1024}}, required: [port, host]}
  good: {fn::validate: {schema: "${schema}", value: {port: 8080, host: x}}}
  bad: {fn::validate: {schema: "${schema}", value: {port: 80}}}
  odd: {fn::validate: {schema: {type: text}, value: 1}}
"""
    evaluation = opened(text)
    assert marks(evaluation, "bad") == (False, False)
    assert ('values.bad["fn::validate"].value.port', "expected a number greater than or equal to 1024") in told(
        evaluation
    )
    assert ('values.bad["fn::validate"].value', "missing required properties: host") in told(evaluation)
    assert [one.summary for one in evaluation.diagnostics if "odd" in one.place.path][-1] == (
        "at least one subschema must match"
    )


def test_checks_open_no_provider() -> None:
    vending = Vending()
    text = "values: {o: {fn::open::vending: {item: cola}}, got: '${o.got}', wrong: '${o.got.x}'}"
    evaluation = check("p/e", text, loader({}), providers={"vending": vending})
    assert vending.calls == 0
    assert marks(evaluation, "o") == marks(evaluation, "got") == (False, True)
    # The provider's schema already tells that there can be nothing of that name.
    assert told(evaluation) == [("values.wrong", "receiver must be an array or an object")]


def test_what_a_provider_marks_secret_is_secret_at_every_level() -> None:
    evaluation = opened("values: {o: {fn::open::vending: {item: cola}}, got: 'x ${o.got}'}")
    assert data(evaluation) == {"o": {"got": "a cola"}, "got": "x a cola"}
    assert marks(evaluation, "o") == marks(evaluation, "o", "got") == marks(evaluation, "got") == (True, False)


def test_providers_are_not_called_with_unknown_inputs() -> None:
    evaluation = opened("values: {o: {fn::open::vending: {item: '${nope}'}}}")
    assert told(evaluation) == [('values.o["fn::open::vending"].item', 'unknown property "nope"')]


SECRETS = f"""
values:
  plain: {{fn::secret: p}}
  stored: {{fn::secret: {{ciphertext: {stored("[1]")}}}}}
  both: {{a: "${{plain}}", b: "${{stored}}"}}
  reference: ${{both}}
  text: <${{stored}}>
  json: {{fn::toJSON: "${{both}}"}}
  parsed: {{fn::fromJSON: "${{stored}}"}}
  final: {{fn::final: {{a: "${{plain}}"}}}}
  split: {{fn::split: [",", "${{plain}}"]}}
  part: ${{split[0]}}
"""


def test_stored_secrets_are_unknown_in_a_check_and_decrypted_when_opened() -> None:
    check_only = checked(SECRETS)
    assert marks(check_only, "plain") == (True, False)
    for path in (("stored",), ("both", "b"), ("reference", "b"), ("text",), ("json",), ("parsed",)):
        assert marks(check_only, *path) == (True, True), path
    assert data(opened(SECRETS))["both"] == {"a": "p", "b": "[1]"}
    shown = check("p/e", SECRETS, loader({}), decrypter=decrypt, show_secrets=True)
    assert data(shown)["text"] == "<[1]>"


def test_secrecy_spreads_to_what_is_made_of_secrets() -> None:
    evaluation = opened(SECRETS)
    secret = {
        path
        for path in (
            ("both",),
            ("reference", "a"),
            ("text",),
            ("json",),
            ("parsed",),
            ("parsed", 0),
            ("final",),
            ("split",),
            ("part",),
        )
        if marks(evaluation, *path)[0]
    }
    # An object is not secret for holding one; a part of a split secret is not, as in ESC itself.
    assert secret == {("reference", "a"), ("text",), ("json",), ("parsed",), ("parsed", 0), ("final",), ("split",)}
    assert evaluation.environment is not None
    redacted = evaluation.environment.plain(redact=True)
    assert (redacted["both"], redacted["text"]) == ({"a": "[secret]", "b": "[secret]"}, "[secret]")


@pytest.mark.parametrize(
    ("ciphertext", "summary"),
    [
        ("AAAA", "invalid ciphertext: EOF"),
        ("n*pe", "invalid ciphertext: illegal base64 data at input byte 1"),
        (wrap(b"abcdef")[:-4] + "AAA=", "invalid ciphertext: invalid checksum"),
        (wrap(b"wrong-key"), "decrypting: made with another key"),
    ],
)
def test_ciphertexts_that_cannot_be_read_are_reported(ciphertext: str, summary: str) -> None:
    evaluation = opened(f"values: {{a: {{fn::secret: {{ciphertext: '{ciphertext}'}}}}}}")
    assert told(evaluation) == [("values.a", summary)]
    assert marks(evaluation, "a") == (True, True)


def test_an_environment_that_is_nested_too_deeply_is_an_error_and_no_crash() -> None:
    evaluation = opened("values: {a: " + "[" * 5000 + "]" * 5000 + "}")
    assert evaluation.failed


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("a.b-c[0]", ("a", "b-c", 0)),
        ('a["x.y"]["q\\"q"]', ("a", "x.y", 'q"q')),
        ('["a b"].c', ("a b", "c")),
        ("", ()),
    ],
)
def test_property_paths(text: str, steps: tuple[str | int, ...]) -> None:
    assert parse_path(text) == steps
    assert parse_path(format_path(steps)) == steps


@pytest.mark.parametrize("text", [".a", "a[", "a[x]", 'a["b]', "a..b", "a]"])
def test_what_is_no_property_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="property path"):
        parse_path(text)
