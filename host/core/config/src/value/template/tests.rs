//! References, and text that only looks like one.

use super::*;

/// The pieces in short: text in quotes, references and arithmetic by the text that they stand for.
fn pieces(value: &str) -> Vec<String> {
    let show = |piece: &TemplatePiece| match piece {
        TemplatePiece::Text(text) => format!("{text:?}"),
        TemplatePiece::Reference(reference) => reference.span.of(value).to_owned(),
        TemplatePiece::Arithmetic(_, span) => span.of(value).to_owned(),
    };
    ValueTemplate::parse(value).pieces.iter().map(show).collect()
}

#[test]
fn every_form_of_a_reference_is_one() {
    let forms = [
        "{kw}",
        "{fs#1.dev}",
        "{container#01db.image}",
        "{volume#data-1.mnt}",
        "{.app}",
        "{DEFAULT.app}",
        "{env.X}",
        "{env.my-key}",
        "{env.a.b}",
        "{labels.rack}",
        "{nodes[0]}",
        "{#nodes}",
        "{upper:name}",
        "{swapcase:env.x}",
        "{node.env.X}",
        "{node.labels.rack-1}",
        "{node.prkey}",
        "{disk#1.exposed_devs[0]}",
        "{subset#disk:gce.parallel}",
    ];
    for form in forms {
        assert_eq!(pieces(form), [form]);
    }
}

#[test]
fn text_that_only_looks_like_a_reference_stays_text() {
    let texts = [
        "${HOME}",
        "{{.ID}}",
        "{{.Names}} {{.Ports}}",
        "{{ .ID",
        "$(date)",
        "$(1 +)",
        "find . -exec rm {} +",
        "{1..5}",
        "{a..z}",
        "{a,b}",
        "{disk#1}",
        "{a:b}",
        "{a[x]}",
        "{ a }",
        "{é}",
        "{env.}",
        "{\"json\": 1}",
        "{a",
        "$",
        "\\",
        "a\\b",
    ];
    for text in texts {
        assert_eq!(pieces(text), [format!("{text:?}")]);
    }
}

#[test]
fn a_backslash_makes_text_of_it() {
    assert_eq!(pieces(r"\{a} \$(1+1) \\{b}"), [r#""{a} $(1+1) \\{b}""#]);
}

#[test]
fn pieces_stand_in_their_order() {
    assert_eq!(pieces("/srv/{name}/{rid}.img"), [r#""/srv/""#, "{name}", r#""/""#, "{rid}", r#"".img""#]);
    assert_eq!(pieces("$({#nodes} - 1)m"), ["$({#nodes} - 1)", r#""m""#]);
    assert_eq!(pieces("$(cat {env.file})"), [r#""$(cat ""#, "{env.file}", r#"")""#]);
}

#[test]
fn modifiers_change_the_case() {
    let check = |modifier: TextModifier, expected: &str| assert_eq!(modifier.apply("my wEB-one"), expected);
    check(TextModifier::Upper, "MY WEB-ONE");
    check(TextModifier::Lower, "my web-one");
    check(TextModifier::Capitalize, "My web-one");
    check(TextModifier::Title, "My Web-One");
    check(TextModifier::Swapcase, "MY Web-ONE");
}

proptest::proptest! {
    #[test]
    fn any_text_can_be_taken_to_pieces(value in r"([a-z{}()$\\\[\].#:0-9+*/ -]|.)*") {
        let template = ValueTemplate::parse(&value);
        for piece in &template.pieces {
            if let TemplatePiece::Reference(TemplateReference { span, .. }) | TemplatePiece::Arithmetic(_, span) = piece {
                assert!(value.is_char_boundary(span.start) && value.is_char_boundary(span.end));
            }
        }
    }
}
