//! Archives come in by the command: each publisher's, looked at before, told of after, and twice with no difference.
//! Damaged ones leave whole chats or none.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use deepsearch_tests::cli::Home;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::archives::{Archive, all, library, many_of_chatgpt, many_of_ours, zip_of};
use crate::world::{chats, finished, hold_citations, offline, open_chat, text};

/// A folder that archives lie in, beside a library that they come into.
struct Download {
    folder: TempDir,
    home: Home,
}

impl Download {
    fn begin() -> Result<Self> {
        Ok(Self {
            folder: tempfile::tempdir()?,
            home: offline()?,
        })
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.folder.path().join(name);
        std::fs::write(&path, bytes)?;
        Ok(path)
    }

    /// What a run of `import` reports, and how it ends.
    fn import(&self, path: &Path, flags: &[&str]) -> Result<(Value, Option<i32>)> {
        let path = path.to_str().context("a path of plain letters")?;
        let ran = self.home.run([&["import", path, "--json"][..], flags].concat())?;
        Ok((ran.json()?, ran.code))
    }
}

fn came(report: &Value) -> [u64; 3] {
    ["added", "extended", "unchanged"].map(|what| report[what].as_u64().unwrap_or(u64::MAX))
}

fn hold_report(archive: &Archive, report: &Value) {
    let (file, count) = (archive.file, archive.chats.len() as u64);
    assert_eq!(report["chats"], json!({archive.origin: count}), "{file}: {report}");
    let messages: usize = archive.chats.iter().map(|(_, messages)| messages).sum();
    assert_eq!(report["messages"], messages, "{file}: {report}");
    let left_out: serde_json::Map<String, Value> = archive
        .left_out
        .iter()
        .map(|(why, count)| ((*why).into(), (*count).into()))
        .collect();
    assert_eq!(report["left_out"], Value::Object(left_out), "{file}: {report}");
    assert_eq!(
        (&report["ended_early"], &report["stopped"]),
        (&Value::Null, &false.into()),
        "{file}"
    );
}

#[test]
fn each_publishers_archive_is_looked_at_comes_in_whole_and_again_changes_nothing() -> Result<()> {
    for archive in all()? {
        let download = Download::begin()?;
        let home = &download.home;
        let (file, count) = (archive.file, archive.chats.len() as u64);
        let path = download.file(file, &archive.bytes)?;

        let (preview, code) = download.import(&path, &["--preview"])?;
        hold_report(&archive, &preview);
        assert_eq!((came(&preview), code), ([count, 0, 0], Some(0)), "{file}: {preview}");
        assert_eq!(chats(home)?, 0, "{file}: it was only looked at");

        let (report, code) = download.import(&path, &[])?;
        hold_report(&archive, &report);
        assert_eq!((came(&report), code), ([count, 0, 0], Some(0)), "{file}: {report}");
        let kept = library(home)?;
        for (title, messages) in archive.chats {
            let chat = kept.values().find(|chat| chat["chat"]["title"] == *title);
            let chat = chat.with_context(|| format!("{file}: no `{title}` in {kept:#?}"))?;
            assert_eq!(
                chat["messages"].as_array().map(Vec::len),
                Some(*messages),
                "{file}: {chat:#}"
            );
        }
        hold_last_word(home, &archive)?;

        let (again, code) = download.import(&path, &[])?;
        hold_report(&archive, &again);
        assert_eq!((came(&again), code), ([0, 0, count], Some(0)), "{file}: {again}");
        assert_eq!(library(home)?, kept, "{file}: the second time");
        let (preview, _) = download.import(&path, &["--preview"])?;
        assert_eq!(came(&preview), [0, 0, count], "{file}: {preview}");
    }
    Ok(())
}

/// What the first chat shows at its end, opened and searched for as any other.
fn hold_last_word(home: &Home, archive: &Archive) -> Result<()> {
    let title = archive.chats[0].0;
    let list = home.run(["chats", "list", "--json"])?.succeeded()?.json()?;
    let mut listed = list.as_array().into_iter().flatten();
    let listed = listed.find(|chat| chat["title"] == title).context("it is listed")?;
    let open = open_chat(home, &json!({"chat_id": listed["id"]}))?;
    let last = open["messages"].as_array().and_then(|messages| messages.last());
    let last = last.context("a message")?;
    assert_eq!(text(&last["content"]), archive.says, "{}", archive.file);
    assert_eq!(
        last["sources"][0]["url"].as_str(),
        archive.source,
        "{}: {last}",
        archive.file
    );
    let mut words = archive.says.split(|letter: char| !letter.is_alphanumeric());
    let word = words.find(|word| word.len() > 4).context("a word")?;
    let found = home.run(["chats", "search", word, "--json"])?.succeeded()?.json()?;
    let mut hits = found["hits"].as_array().into_iter().flatten();
    assert!(hits.any(|hit| hit["chat_id"] == listed["id"]), "{word}: {found}");
    Ok(())
}

#[test]
fn a_person_is_told_what_came_and_what_was_left_out_and_why() -> Result<()> {
    let download = Download::begin()?;
    let archive = all()?.remove(0);
    let path = download.file(archive.file, &archive.bytes)?;
    let path = path.to_str().context("a path of plain letters")?;
    let preview = download.home.run(["import", path, "--preview"])?.succeeded()?;
    assert!(preview.stdout.contains("would be 2 new"), "{}", preview.stdout);
    let told = download.home.run(["import", path])?.succeeded()?;
    for line in [
        "2 chats of chatgpt",
        "6 messages",
        "from 2023-11-14 to 2023-11-14",
        "  The lighthouse",
        "2 new, 0 with new messages, 0 unchanged",
    ] {
        assert!(told.stdout.lines().any(|told| told == line), "{line}: {}", told.stdout);
    }
    for word in [
        "pictures, files and sounds: 1",
        "what tools did, hidden thoughts and instructions: 2",
        "files in which there are no chats: 5",
        "New chat: chats in which nothing is said",
    ] {
        assert!(told.stderr.contains(word), "{word}: {}", told.stderr);
    }
    Ok(())
}

#[test]
fn our_own_json_brings_the_evidence_along_and_what_was_said_since_is_added() -> Result<()> {
    let from = Download::begin()?;
    let asked = |args: &[&str]| {
        finished(
            &from
                .home
                .run([&["ask", "--in", "guide", "--json"][..], args].concat())?
                .succeeded()?,
        )
    };
    let first = asked(&["how do I use my own SearXNG?"])?;
    let (file, to) = (from.folder.path().join("own.json"), Download::begin()?);
    let path = file.to_str().context("a path of plain letters")?;
    let export = || from.home.run(["export", "--all", "-o", path])?.succeeded();
    export()?;
    let (report, _) = to.import(&file, &[])?;
    assert_eq!(
        (came(&report), &report["left_out"]),
        ([1, 0, 0], &json!({})),
        "{report}"
    );
    assert_eq!(library(&to.home)?, library(&from.home)?);
    let open = open_chat(&to.home, &first)?;
    assert!(hold_citations(&to.home, &open, &first)? > 0);

    asked(&["--chat", &text(&first["chat_id"]), "how do I make a backup?"])?;
    export()?;
    let (report, _) = to.import(&file, &[])?;
    assert_eq!(came(&report), [0, 1, 0], "{report}");
    // When the chat was last changed here, and what of it is shown, is this library's own.
    let said = |home: &Home| -> Result<Vec<Value>> {
        let chats = library(home)?.into_values();
        Ok(chats.map(|chat| json!([chat["messages"], chat["pages"]])).collect())
    };
    assert_eq!(said(&to.home)?, said(&from.home)?);
    let (report, _) = to.import(&file, &[])?;
    assert_eq!(came(&report), [0, 0, 1], "{report}");
    Ok(())
}

#[test]
fn a_file_that_holds_no_chats_is_refused_with_a_word_on_why_and_nothing_comes_of_it() -> Result<()> {
    let download = Download::begin()?;
    let zip = many_of_chatgpt(20)?;
    let mut spoiled = zip.clone();
    // In the middle of what is packed: its checksum does not hold.
    let middle = spoiled.len() / 2;
    spoiled[middle..middle + 40].fill(0x5a);
    let bomb = zip_of(&[("conversations.json", &[b"[".to_vec(), vec![b' '; 20 << 20]].concat())])?;
    let newer = br#"{"format":"deepsearch-chats","version":99,"chats":[{"chat":{}}]}"#;
    let useless: [(&str, &[u8], &str); 10] = [
        ("cut.zip", &zip[..zip.len() / 2], "damaged"),
        ("empty.zip", &zip_of(&[])?, "no kind that holds chats"),
        (
            "photos.zip",
            &zip_of(&[("a.jpg", b"\xff\xd8\xff")])?,
            "no kind that holds chats",
        ),
        (
            "climbs.zip",
            &zip_of(&[("../../conversations.json", b"[]")])?,
            "no kind that holds chats",
        ),
        ("bomb.zip", &bomb, "far more than it should"),
        ("picture.json", b"\x89PNG\r\n\x1a\n", "no kind that holds chats"),
        ("empty.json", b"", "ends in the middle"),
        ("settings.json", br#"{"theme": "dark"}"#, "no kind that holds chats"),
        ("words.json", b"{\"a\": nonsense", "no valid JSON"),
        ("newer.json", newer, "newer DeepSearch"),
    ];
    for (name, bytes, why) in useless {
        let path = download.file(name, bytes)?;
        for flags in [&["--preview"][..], &[]] {
            let (told, code) = download.import(&path, flags)?;
            let failure = &told["error"];
            assert_eq!(code, Some(2), "{name}: {told}");
            assert!(text(&failure["message"]).contains(why), "{name}: {told}");
            assert!(
                text(&failure["hint"]).contains("as it was downloaded"),
                "{name}: {told}"
            );
            assert_eq!(chats(&download.home)?, 0, "{name}");
        }
    }
    // What broke while it was unpacked may have told of chats before; each of them is whole.
    let path = download.file("spoiled.zip", &spoiled)?;
    let (told, code) = download.import(&path, &[])?;
    assert_eq!(code, Some(2), "{told}");
    assert!(
        library(&download.home)?
            .values()
            .all(|chat| chat["messages"].as_array().map(Vec::len) == Some(4))
    );

    for (name, expected) in [("nowhere.zip", 3), (".", 6)] {
        let (told, code) = download.import(&download.folder.path().join(name), &[])?;
        assert_eq!(code, Some(expected), "{told}");
    }
    Ok(())
}

#[test]
fn of_a_file_that_was_cut_off_the_chats_before_come_whole_and_the_whole_file_brings_the_rest() -> Result<()> {
    let reference = Download::begin()?;
    let ours = many_of_ours(12);
    let path = reference.file("ours.json", &ours)?;
    assert_eq!(came(&reference.import(&path, &[])?.0), [12, 0, 0]);
    let whole = library(&reference.home)?;

    let download = Download::begin()?;
    let cut = download.file("cut.json", &ours[..ours.len() / 2])?;
    let (preview, code) = download.import(&cut, &["--preview"])?;
    assert_eq!(code, Some(2), "{preview}");
    let (report, code) = download.import(&cut, &[])?;
    assert_eq!(code, Some(2), "a script is told, too: {report}");
    assert!(text(&report["ended_early"]).contains("ends in the middle"), "{report}");
    let kept = library(&download.home)?;
    assert!(!kept.is_empty() && kept.len() < 12, "{}", kept.len());
    assert_eq!(came(&report), [kept.len() as u64, 0, 0]);
    assert!(
        kept.iter().all(|(id, chat)| whole.get(id) == Some(chat)),
        "each is whole"
    );

    let path = download.file("ours.json", &ours)?;
    let (report, code) = download.import(&path, &[])?;
    let rest = 12 - kept.len() as u64;
    assert_eq!(
        (came(&report), code),
        ([rest, 0, kept.len() as u64], Some(0)),
        "{report}"
    );
    assert_eq!(library(&download.home)?, whole);
    Ok(())
}

#[test]
fn a_broken_chat_is_named_and_spoils_none_beside_it() -> Result<()> {
    let download = Download::begin()?;
    let ours = String::from_utf8(many_of_ours(3))?;
    // One is no JSON, one quotes what its page does not say.
    let broken = ours.replacen("\"pinned\":true", "\"pinned\":tru", 1);
    let broken = broken.replacen("\"text\":\"Stone 1 is 101 kg", "\"text\":\"Stone 1 is 999 kg", 1);
    assert_ne!(broken.len(), ours.len());
    let path = download.file("broken.json", broken.as_bytes())?;
    let (report, code) = download.import(&path, &[])?;
    assert_eq!((came(&report), code), ([2, 0, 0], Some(0)), "{report}");
    assert_eq!(report["left_out"], json!({"malformed": 1, "evidence": 1}), "{report}");
    let notes = report["notes"].to_string();
    assert!(notes.contains("Stone 1"), "{notes}");
    for chat in library(&download.home)?.values() {
        let is_forged = chat["chat"]["title"] == "Stone 1";
        let citations = chat["messages"][1]["citations"].as_array().map_or(0, Vec::len);
        assert_eq!(citations, usize::from(!is_forged), "{chat:#}");
    }
    Ok(())
}
