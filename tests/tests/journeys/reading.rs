//! `deepsearch read`: the readable page of a file, of an address, and of many files at once.

use std::io::Write;
use std::process::Stdio;

use anyhow::{Context, Result};
use deepsearch_tests::cli::{Home, Ran};
use serde_json::{Value, json};

use crate::world::{LIGHTHOUSE, SmallWeb, offline, page, text};

const URL: &str = "https://example.com/lighthouse";

fn batch(home: &Home, lines: &str) -> Result<(Ran, Vec<Value>)> {
    let mut child = home
        .command(["read", "--batch"])?
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().context("its input")?;
    let lines = lines.to_owned();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let ran = Ran::from(child.wait_with_output()?);
    writer.join().expect("no panic while writing")?;
    let answers = ran.events()?;
    Ok((ran, answers))
}

#[test]
fn a_file_is_read_as_the_page_it_was() -> Result<()> {
    let home = offline()?;
    let (_, title, words) = LIGHTHOUSE[0];
    let file = home.path().join("page.html");
    std::fs::write(&file, page(title, words))?;
    let args = ["read", "--html", &file.to_string_lossy(), "--url", URL];
    let plain = home.run(args)?.succeeded()?;
    assert!(
        plain.stdout.starts_with(title) && plain.stdout.contains("47 metres"),
        "{}",
        plain.stdout
    );
    assert!(
        !plain.stdout.contains('<') && !plain.stdout.contains("Home"),
        "{}",
        plain.stdout
    );

    let read = home.run([&args[..], &["--json"]].concat())?.succeeded()?.json()?;
    assert_eq!((&read["title"], &read["url"]), (&json!(title), &json!(URL)));
    let spans = read["sentences"].as_array().map(Vec::len);
    assert!(spans.is_some_and(|spans| spans >= 3), "{read}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_read_once_robots_txt_allows_it() -> Result<()> {
    let web = SmallWeb::lighthouse().await?;
    let home = offline()?;
    let read = home.run(["read", web.site.url("history.html").as_str()])?.succeeded()?;
    assert!(read.stdout.contains("Maren Oltwick"), "{}", read.stdout);
    let forbidden = home.run(["read", web.site.url("private/page.html").as_str()])?;
    assert_eq!(forbidden.code, Some(4));
    assert!(forbidden.stderr.contains("robots.txt"), "{}", forbidden.stderr);
    assert_eq!(web.site.requests("/private/page.html"), 0);
    let missing = home.run(["read", web.site.url("absent.html").as_str()])?;
    assert_eq!(missing.code, Some(4));
    assert!(missing.stderr.contains("404"), "{}", missing.stderr);
    Ok(())
}

#[test]
fn many_files_are_answered_in_the_order_of_their_lines_each_under_its_id() -> Result<()> {
    let home = offline()?;
    let mut lines = String::new();
    for number in 0..60 {
        let file = home.path().join(format!("{number}.html"));
        // The first ones are the longest, so that answers in the order of finishing would be in another.
        let words = format!("The tower number {number} stands on a rock and is seen from far.\n")
            .repeat(400 / (number + 1) + 1);
        std::fs::write(&file, page(&format!("Tower {number}"), &words))?;
        lines += &format!(
            "{}\n",
            json!({ "id": format!("id-{number}"), "html_file": file, "url": URL })
        );
    }
    let (ran, answers) = batch(&home, &lines)?;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let ids: Vec<String> = answers.iter().map(|answer| text(&answer["id"])).collect();
    assert_eq!(ids, (0..60).map(|number| format!("id-{number}")).collect::<Vec<_>>());
    for (number, answer) in answers.iter().enumerate() {
        assert!(answer["error"].is_null(), "{answer}");
        assert!(
            text(&answer["text"]).contains(&format!("tower number {number} stands")),
            "{answer}"
        );
    }
    Ok(())
}

#[test]
fn a_bad_line_a_missing_file_and_a_hostile_one_cost_only_themselves() -> Result<()> {
    let home = offline()?;
    let write = |name: &str, content: &[u8]| -> Result<String> {
        let path = home.path().join(name);
        std::fs::write(&path, content)?;
        Ok(path.to_string_lossy().into_owned())
    };
    let good = write("good.html", page(LIGHTHOUSE[0].1, LIGHTHOUSE[0].2).as_bytes())?;
    let deep = write(
        "deep.html",
        format!("{}deep{}", "<div>".repeat(300_000), "</div>".repeat(300_000)).as_bytes(),
    )?;
    let zeros = write("zeros.html", &[0; 100_000])?;
    let pdf = write("broken.pdf", b"%PDF-1.7\n1 0 obj << /Length 99999999999 >> stream")?;
    let empty = write("empty.html", b"")?;
    let lines = [
        json!({ "id": 1, "html_file": good, "url": URL }).to_string(),
        "{ this is no JSON".to_owned(),
        json!({ "id": "no file" }).to_string(),
        json!({ "id": "missing", "html_file": "/nonexistent/page.html", "url": URL }).to_string(),
        String::new(),
        json!({ "id": "deep", "html_file": deep, "url": URL }).to_string(),
        json!({ "id": "zeros", "html_file": zeros, "url": URL }).to_string(),
        json!({ "id": "pdf", "html_file": pdf, "url": URL }).to_string(),
        json!({ "id": "empty", "html_file": empty, "url": URL }).to_string(),
        json!({ "id": "bad url", "html_file": good, "url": "no address" }).to_string(),
        // The last line has no end.
        json!({ "id": { "any": "value" }, "html_file": good }).to_string(),
    ];
    let (ran, answers) = batch(&home, &lines.join("\n"))?;
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(
        answers.len(),
        lines.len() - 1,
        "every line but the empty one: {answers:?}"
    );
    let ids: Vec<&Value> = answers.iter().map(|answer| &answer["id"]).collect();
    let expected = [
        json!(1),
        Value::Null,
        json!("no file"),
        json!("missing"),
        json!("deep"),
        json!("zeros"),
        json!("pdf"),
        json!("empty"),
        json!("bad url"),
        json!({ "any": "value" }),
    ];
    assert_eq!(ids, expected.iter().collect::<Vec<_>>());
    let ends_well = |answer: &Value| answer["error"].is_null() && text(&answer["text"]).contains("47 metres");
    assert!(ends_well(&answers[0]) && ends_well(&answers[9]), "{answers:?}");
    for answer in [1, 2, 3, 5, 6, 7, 8].map(|at| &answers[at]) {
        assert!(
            !text(&answer["error"]).is_empty() && text(&answer["text"]).is_empty(),
            "{answer}"
        );
    }
    assert!(text(&answers[3]["error"]).contains("/nonexistent/page.html"));
    Ok(())
}
