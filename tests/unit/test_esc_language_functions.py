"""The ESC language: its functions, secrets and what is made of them, and the paths by which values are named."""

from __future__ import annotations

import pytest

from esc.language import check
from esc.language.envelope import wrap
from esc.language.paths import format_path, parse_path
from tests.unit.esc_definitions import Vending, checked, data, decrypt, loader, marks, opened, stored, told


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
