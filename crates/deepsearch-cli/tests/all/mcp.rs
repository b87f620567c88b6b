//! `deepsearch mcp` as an assistant meets it: lines of JSON-RPC over pipes.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tempfile::{TempDir, tempdir};

/// A running server, and the pipes to it.
struct Assistant {
    server: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    calls: u64,
}

impl Assistant {
    fn start(home: &TempDir) -> Self {
        Self::start_with(home, &[])
    }

    fn start_with(home: &TempDir, settings: &[(&str, &str)]) -> Self {
        let mut server = Command::new(assert_cmd::cargo::cargo_bin("deepsearch"))
            .arg("mcp")
            .env("DEEPSEARCH_HOME", home.path())
            .env("DEEPSEARCH_MODELS__DISCOVER_LOCAL", "false")
            .envs(settings.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut assistant = Self {
            input: server.stdin.take(),
            output: BufReader::new(server.stdout.take().unwrap()),
            server,
            calls: 0,
        };
        let hello = assistant.request(
            "initialize",
            json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" } }),
        );
        assert_eq!(hello["serverInfo"]["name"], "deepsearch");
        assert!(hello["instructions"].as_str().unwrap().contains("evidence"));
        assistant.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        assistant
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.input.as_mut().unwrap(), "{message}").unwrap();
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }

    /// The result of a request.
    fn request(&mut self, method: &str, params: Value) -> Value {
        self.calls += 1;
        let id = self.calls;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let line = self.line();
            if line["id"] == id {
                return line["result"].clone();
            }
        }
    }

    fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.request("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    /// Hangs up, and waits until the server has ended by itself.
    fn end(mut self) {
        self.input.take();
        assert!(self.server.wait().unwrap().success());
    }
}

#[test]
fn an_assistant_asks_and_finds_the_answer_and_its_page_again() {
    let home = tempdir().unwrap();
    let mut assistant = Assistant::start(&home);
    let tools = assistant.request("tools/list", json!({}));
    let names: Vec<&str> = tools["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["ask", "open_chat", "read_page", "search_history"]);

    let asked = json!({ "question": "how do I use my own SearXNG?", "places": ["guide"] });
    let answered = assistant.call("ask", asked);
    let answer = &answered["structuredContent"];
    assert_eq!(answered["isError"], false, "{answered}");
    assert!(answer["answer"].as_str().unwrap().contains("[1]"), "{answer}");
    let quote = answer["citations"][0]["quote"].as_str().unwrap();
    let page = answer["pages"][0]["page_id"].as_str().unwrap();
    let read = assistant.call("read_page", json!({ "page_id": page }));
    let text = read["structuredContent"]["text"].as_str().unwrap();
    assert!(text.contains(quote), "{quote:?} in {text:?}");
    let chat = answer["chat_id"].as_str().unwrap();
    let open = assistant.call("open_chat", json!({ "chat_id": chat }));
    assert_eq!(open["structuredContent"]["messages"].as_array().unwrap().len(), 2);
    let found = assistant.call("search_history", json!({ "text": "SearXNG" }));
    assert_eq!(found["structuredContent"]["hits"][0]["chat_id"], chat);
    assistant.end();
}

#[test]
fn a_long_page_comes_in_pieces_and_steps_are_told_where_they_are_wanted() {
    let home = tempdir().unwrap();
    let mut assistant = Assistant::start(&home);
    assistant.calls += 1;
    let id = assistant.calls;
    assistant.send(&json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {
        "name": "ask", "_meta": { "progressToken": "steps" },
        "arguments": { "question": "which settings are there?", "places": ["guide"] },
    } }));
    let mut steps = Vec::new();
    let answer = loop {
        let line = assistant.line();
        if line["method"] == "notifications/progress" {
            assert_eq!(line["params"]["progressToken"], "steps");
            steps.push(line["params"]["message"].as_str().unwrap().to_owned());
        } else if line["id"] == id {
            break line["result"]["structuredContent"].clone();
        }
    };
    assert!(steps.iter().any(|step| step.starts_with("Read: guide:")), "{steps:?}");

    let page = answer["pages"][0]["page_id"].clone();
    let (mut text, mut offset) = (String::new(), json!(0));
    while !offset.is_null() {
        let read = assistant.call(
            "read_page",
            json!({ "page_id": page, "offset": offset, "length": 1_000 }),
        );
        text.push_str(read["structuredContent"]["text"].as_str().unwrap());
        offset = read["structuredContent"]["next"].clone();
    }
    let whole = assistant.call("read_page", json!({ "page_id": page, "length": 100_000 }));
    assert_eq!(whole["structuredContent"]["text"], text);
    assistant.end();
}

#[test]
fn what_cannot_be_done_is_told_in_words_and_the_next_call_works() {
    let home = tempdir().unwrap();
    let mut assistant = Assistant::start(&home);
    for (tool, arguments) in [
        ("ask", json!({ "question": "  " })),
        ("ask", json!({ "question": "anything", "model": "nobody/nothing" })),
        ("open_chat", json!({ "chat_id": "chat_nobody" })),
        ("read_page", json!({ "page_id": "page_nobody" })),
    ] {
        let told = assistant.call(tool, arguments);
        assert_eq!(told["isError"], true, "{tool}: {told}");
        assert!(told["content"][0]["text"].as_str().unwrap().len() > 10, "{told}");
    }
    let found = assistant.call("search_history", json!({ "text": "nothing yet" }));
    assert_eq!(found["structuredContent"]["hits"], json!([]));
    assistant.end();
}

/// A host that counts who connects, and says nothing.
fn canary() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let heard = Arc::new(AtomicUsize::new(0));
    let counted = heard.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
            drop(stream);
        }
    });
    (address, heard)
}

#[test]
fn an_address_that_an_assistant_writes_is_not_read_and_one_that_a_person_writes_is() {
    let home = tempdir().unwrap();
    let (host, heard) = canary();
    let question = format!("What does http://{host}/?told=the+diary+of+tuesday say about lighthouses?");
    let settings = [
        ("DEEPSEARCH_CRAWL__ALLOW_PRIVATE", "true"),
        ("DEEPSEARCH_ENGINES__WIKIPEDIA__ENABLED", "false"),
        ("DEEPSEARCH_ENGINES__DUCKDUCKGO__ENABLED", "false"),
    ];
    let mut assistant = Assistant::start_with(&home, &settings);
    for places in [json!([]), json!(["web"]), json!(["web", "guide"])] {
        let told = assistant.call("ask", json!({ "question": question, "places": places }));
        assert!(told["content"][0]["text"].is_string(), "{told}");
    }
    assistant.end();
    assert_eq!(heard.load(Ordering::SeqCst), 0);

    let ask = |args: &[&str]| {
        let mut asked = crate::deepsearch(&home);
        asked
            .envs(settings)
            .args(["ask", "--in", "web"])
            .args(args)
            .output()
            .unwrap()
    };
    // Whoever has it answered anew does not see what stands in it, and who sends it off as it was has not read it either.
    let list = crate::json(&crate::stdout(
        crate::deepsearch(&home).args(["--json", "chats", "list"]),
        0,
    ));
    let chats: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|chat| chat["id"].as_str().unwrap())
        .collect();
    assert_eq!(chats.len(), 3, "{list}");
    let show = |chat: &str| {
        crate::json(&crate::stdout(
            crate::deepsearch(&home).args(["--json", "chats", "show", chat]),
            0,
        ))
    };
    for chat in &chats {
        let first = show(chat)["messages"][0]["id"].as_str().unwrap().to_owned();
        ask(&["--regenerate", &first]);
        ask(&["--edit", &first, &question]);
        let copy = show(chat)["messages"][0]["id"].as_str().unwrap().to_owned();
        assert_ne!(copy, first);
        ask(&["--regenerate", &copy]);
    }
    assert_eq!(heard.load(Ordering::SeqCst), 0);

    // In a person's own words it is the person's.
    let first = show(chats[0])["messages"][0]["id"].as_str().unwrap().to_owned();
    let edited = ask(&["--edit", &first, &format!("Please: {question}")]);
    assert!(heard.load(Ordering::SeqCst) > 0, "{edited:?}");
    let before = heard.load(Ordering::SeqCst);
    let ran = ask(&[&question]);
    assert!(
        heard.load(Ordering::SeqCst) > before,
        "the same question of a person: {ran:?}"
    );
}

/// A model server that takes connections and never answers, so that choosing a model takes its time.
fn hanging() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/v1", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().collect::<Vec<_>>());
    address
}

#[test]
fn a_call_that_is_taken_back_before_it_has_a_chat_leaves_none() {
    let home = tempdir().unwrap();
    let url = hanging();
    let mut assistant = Assistant::start_with(&home, &[("DEEPSEARCH_MODELS__SLOW__URL", &url)]);
    let question = json!({ "question": "how do I use my own SearXNG?", "places": ["guide"] });
    assistant.send(
        &json!({ "jsonrpc": "2.0", "id": 777, "method": "tools/call", "params": {
        "name": "ask", "arguments": question,
    } }),
    );
    assistant.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 777 } }));
    // What is asked after it is answered, and is the only chat there is.
    let answered = assistant.call("ask", question);
    let chat = answered["structuredContent"]["chat_id"].as_str().unwrap().to_owned();
    let found = assistant.call("search_history", json!({ "text": "SearXNG" }));
    let hits = found["structuredContent"]["hits"].as_array().unwrap();
    assert!(
        !hits.is_empty() && hits.iter().all(|hit| hit["chat_id"] == *chat),
        "{hits:?}"
    );
    let chats = crate::stdout(crate::deepsearch(&home).args(["--json", "chats", "list"]), 0);
    assert_eq!(crate::json(&chats).as_array().unwrap().len(), 1);
    assistant.end();
}

#[test]
fn in_private_mode_an_assistant_is_told_nothing_and_why() {
    let home = tempdir().unwrap();
    let mut assistant = Assistant::start(&home);
    let question = json!({ "question": "how do I use my own SearXNG?", "places": ["guide"] });
    let answer = assistant.call("ask", question.clone())["structuredContent"].clone();
    let calls = [
        ("ask", question),
        ("search_history", json!({ "text": "SearXNG" })),
        ("open_chat", json!({ "chat_id": answer["chat_id"] })),
        ("read_page", json!({ "page_id": answer["pages"][0]["page_id"] })),
    ];
    // Another program sets it, while this one runs.
    let set = |mode: &str| {
        crate::deepsearch(&home)
            .args(["settings", "set", "privacy.mode", mode])
            .assert()
            .success();
    };
    set("private");
    for (tool, arguments) in &calls {
        let refused = assistant.call(tool, arguments.clone());
        assert_eq!(refused["isError"], true, "{tool}: {refused}");
        let text = refused["content"][0]["text"].as_str().unwrap();
        assert!(
            text.contains("Private mode is on") && text.contains("privacy.mode off"),
            "{text}"
        );
        assert!(refused["structuredContent"].is_null(), "{refused}");
    }
    set("off");
    for (tool, arguments) in &calls {
        let told = assistant.call(tool, arguments.clone());
        assert_eq!(told["isError"], false, "{tool}: {told}");
    }
    assistant.end();
}

#[test]
fn a_page_of_a_file_is_read_only_where_files_were_named() {
    let (home, folder) = (tempdir().unwrap(), tempdir().unwrap());
    let text = "The lighthouse of Zorvane is 41 metres high and was painted white in the spring of 1931.";
    std::fs::write(folder.path().join("lighthouse.txt"), text).unwrap();
    crate::deepsearch(&home)
        .args(["folders", "add"])
        .arg(folder.path())
        .assert()
        .success();
    let mut assistant = Assistant::start(&home);
    let question = "How high is the lighthouse of Zorvane?";
    let answered = assistant.call("ask", json!({ "question": question, "places": ["files"] }));
    let page = answered["structuredContent"]["pages"][0]["page_id"].clone();
    assert!(page.is_string(), "{answered}");

    let refused = assistant.call("read_page", json!({ "page_id": page }));
    assert_eq!(refused["isError"], true, "{refused}");
    assert!(
        refused["content"][0]["text"].as_str().unwrap().contains("`files`"),
        "{refused}"
    );
    let read = assistant.call("read_page", json!({ "page_id": page, "places": ["files"] }));
    assert!(
        read["structuredContent"]["text"]
            .as_str()
            .unwrap()
            .contains("41 metres"),
        "{read}"
    );

    let pages = |found: Value| {
        let hits = found["structuredContent"]["hits"].as_array().unwrap().clone();
        hits.into_iter().filter(|hit| hit["page_id"] == page).count()
    };
    let asked = json!({ "text": "painted white" });
    assert_eq!(pages(assistant.call("search_history", asked)), 0);
    let asked = json!({ "text": "painted white", "places": ["files"] });
    assert_eq!(pages(assistant.call("search_history", asked)), 1);

    // What is not told takes no place of what is.
    let mut hits = |limit: usize, places: &[&str]| {
        let asked = json!({ "text": "lighthouse Zorvane", "limit": limit, "places": places });
        let found = assistant.call("search_history", asked);
        found["structuredContent"]["hits"].as_array().unwrap().clone()
    };
    let (all, told) = (hits(100, &["files"]), hits(100, &[]).len());
    let at = all.iter().position(|hit| hit["page_id"] == page).unwrap();
    assert!(at + 1 < all.len(), "the file stands before something else: {all:?}");
    for limit in 1..=told {
        assert_eq!(hits(limit, &[]).len(), limit);
    }
    assistant.end();
}
