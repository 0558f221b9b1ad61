//! The guide's page about the configuration is what the code says.

use std::{env, fs, path::Path};

use super::super::{
    SECTIONS, document,
    schema::{Key, Section, Shape},
};

const PAGE: &str = "src/guide/configuration.md";

/// Set, it has the page written anew.
const BLESS: &str = "BLESS_GUIDE";

const HEAD: &str = "\
# Configuration

Flags win over the environment, the environment over the file, the file over the defaults. The file is
`./roomcast.toml`, or the one that `--config` or `ROOMCAST_CONFIG` names; `roomcast default-config` prints
one with every key. Every key is `ROOMCAST_SECTION__KEY` in the environment, and some have plain names that
deployments use already. An empty variable counts as not set; lists are separated by commas there. An
unknown key stops the start and names the nearest one; `roomcast check-config` says whether a server can
start, and what would be allowed but unwise.

`--dev` changes three defaults: `server.demo` and `auth.guests` are `true`, and `server.allowed_origins` is
`[\"*\"]`. It prints the secret that it makes up where none is set.

This page is made from the code.
";

/// One table a section.
fn reference() -> String {
    let mut page = HEAD.to_owned();
    for section in SECTIONS {
        let defaults = (section.defaults)().unwrap();
        page.push_str(&format!(
            "\n## {}\n\n{}\n\n| key | in the environment | default | meaning |\n| --- | --- | --- | --- |\n",
            section.name,
            prose(section.doc)
        ));
        for key in section.keys {
            let default = &defaults[key.name];
            let names = names(section, key);
            let meaning = meaning(key);
            page.push_str(&format!(
                "| `{}` | {names} | `{default}` | {meaning} |\n",
                key.name
            ));
        }
    }
    let rules = document::RULES.trim();
    page.push_str(&format!("\n## Rules\n\n```toml\n{rules}\n```\n"));
    page
}

fn names(section: &Section, key: &Key) -> String {
    let plain = key.env.iter().map(|name| (*name).to_owned());
    let all = [section.variable(key)].into_iter().chain(plain);
    all.map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn meaning(key: &Key) -> String {
    let mut text = prose(key.doc);
    if let Shape::Choice(words) = key.shape {
        text.push_str(&format!(" One of: {}.", words.join(", ")));
    }
    if key.min > 0 {
        text.push_str(&format!(" At least {}.", key.min));
    }
    text
}

/// Lines of a doc comment as one, with nothing in it that Markdown takes for its own.
fn prose(lines: &[&str]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| line.trim()).collect();
    let mut is_code = false;
    let mut text = String::new();
    for letter in lines.join(" ").chars() {
        is_code ^= letter == '`';
        if letter == '|' || (!is_code && "*_<>[]".contains(letter)) {
            text.push('\\');
        }
        text.push(letter);
    }
    text
}

#[test]
fn the_guide_says_of_every_key_what_the_code_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    let page = reference();
    if env::var_os(BLESS).is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == page,
        "{PAGE} is not what the code says; `{BLESS}=1 cargo test --lib the_guide` writes it anew"
    );
}
