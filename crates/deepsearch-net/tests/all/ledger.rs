use deepsearch_core::{Errand, Role, SentTurn};
use deepsearch_net::{Purpose, Recorder, carried, contact, sent};

use crate::network;
use crate::server::Server;

fn turn(content: &str) -> SentTurn {
    SentTurn {
        role: Role::User,
        content: content.into(),
    }
}

#[tokio::test]
async fn what_is_said_and_what_comes_is_counted_by_host_and_errand() {
    let (network, _) = network();
    let server = Server::start("twelve bytes").await;
    let client = network.client(|builder| builder.no_proxy()).unwrap();
    let recorder = Recorder::default();
    let work = async {
        for (errand, path) in [
            (Errand::Page, "/a?b=c"),
            (Errand::Robots, "/robots.txt"),
            (Errand::Page, "/d"),
        ] {
            let request = client.get(server.url("site.example", path));
            let mut answer = client.send(Purpose::of(errand), request).await.unwrap();
            while answer.chunk().await.unwrap().is_some() {}
        }
        let request = client.post(server.url("127.0.0.1", "/ask")).body("who?");
        client
            .send(Purpose::new(Errand::Search, "mine"), request)
            .await
            .unwrap();
    };
    recorder.during(work).await;
    let ledger = recorder.ledger();
    let told: Vec<_> = ledger
        .contacts
        .iter()
        .map(|contact| {
            let name = contact.host.split(':').next().unwrap();
            (
                name,
                contact.errand,
                contact.service.as_str(),
                contact.local,
                contact.requests,
                contact.bytes_out,
                contact.bytes_in,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("site.example", Errand::Page, "", false, 2, 8, 24),
            ("site.example", Errand::Robots, "", false, 1, 11, 12),
            ("127.0.0.1", Errand::Search, "mine", true, 1, 8, 0),
        ]
    );
    assert_eq!((ledger.hosts_elsewhere(), ledger.bytes_elsewhere()), (1, (19, 36)));
    assert!(recorder.is_quiet());
}

#[tokio::test]
async fn what_reached_nobody_is_an_attempt_without_bytes_and_its_text_is_not_told() {
    let (network, _) = network();
    let server = Server::start("ok").await;
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}/ask?much=more", gone.local_addr().unwrap());
    drop(gone);
    let client = network.client(|builder| builder.no_proxy()).unwrap();
    let recorder = Recorder::default();
    let work = async {
        let asking = client.post(nobody.parse().unwrap()).body("who?");
        client.send(Purpose::of(Errand::Page), asking).await.unwrap_err();
        let asking = client.post(server.url("127.0.0.1", "/ask")).body("who?");
        client.send(Purpose::of(Errand::Search), asking).await.unwrap();
        sent("a/b", "h", false, &[turn("never sent")]).not_sent();
        sent("a/b", "h", false, &[turn("sent once")]).not_sent();
        sent("a/b", "h", false, &[turn("sent once")]);
    };
    recorder.during(work).await;
    let ledger = recorder.ledger();
    let counts: Vec<_> = (ledger.contacts.iter())
        .map(|contact| (contact.errand, contact.requests, contact.bytes_out))
        .collect();
    assert_eq!(counts, [(Errand::Page, 1, 0), (Errand::Search, 1, 8)]);
    let told: Vec<_> = (ledger.texts.iter())
        .map(|text| (text.turns.clone().unwrap(), text.times))
        .collect();
    assert_eq!(told, [(vec![turn("sent once")], 1)]);
}

#[tokio::test]
async fn a_task_of_its_own_is_written_to_the_same_ledger_if_it_is_carried() {
    let recorder = Recorder::default();
    let note = |host: &'static str| async move { drop(contact(Purpose::of(Errand::Page), host, false, 1)) };
    let both = recorder.during(async {
        tokio::spawn(carried(note("carried.example"))).await.unwrap();
        tokio::spawn(note("forgotten.example")).await.unwrap();
    });
    both.await;
    note("outside.example").await;
    let hosts: Vec<String> = recorder
        .ledger()
        .contacts
        .into_iter()
        .map(|contact| contact.host)
        .collect();
    assert_eq!(hosts, ["carried.example"]);
}

#[tokio::test]
async fn a_text_is_kept_once_however_often_it_is_sent_and_not_if_it_is_too_large() {
    let recorder = Recorder::default();
    let large = "x".repeat(600 << 10);
    recorder
        .during(async {
            let turns = [turn("Be brief."), turn("Why?")];
            sent("a/b", "h", false, &turns);
            sent("a/b", "h", false, &turns);
            sent("a/b", "h", false, &[turn(&large)]);
        })
        .await;
    let texts = recorder.ledger().texts;
    assert_eq!((texts[0].times, texts[0].bytes), (2, 13));
    // SHA-256 of "Be brief.Why?".
    assert_eq!(
        texts[0].sha256,
        "273119aa4bac355d276fda659ccf605c147e870c0d8dd0b7d411dab238a58bbe"
    );
    assert_eq!(texts[0].turns, Some(vec![turn("Be brief."), turn("Why?")]));
    assert_eq!((texts[1].bytes, &texts[1].turns), (600 << 10, &None));
}

#[tokio::test]
async fn what_came_in_is_nothing_begun_and_what_was_sent_again_is_told_once() {
    let recorder = Recorder::default();
    recorder
        .during(async {
            let entry = contact(Purpose::new(Errand::Model, "openai"), "api.openai.com", false, 5);
            sent("openai/one", "api.openai.com", false, &[turn("Why?")]);
            assert_eq!(recorder.begun(), 2);
            entry.received(700);
            assert_eq!(recorder.begun(), 2);
            sent("openai/one", "api.openai.com", false, &[turn("Why?")]);
            assert_eq!(recorder.begun(), 3);
        })
        .await;
    let mut both = recorder.ledger();
    both.add(recorder.ledger());
    assert_eq!((both.contacts[0].requests, both.contacts[0].bytes_in), (2, 1_400));
    assert_eq!(both.texts.iter().map(|text| text.times).collect::<Vec<_>>(), [4]);
}

#[tokio::test]
async fn a_ledger_is_bounded_and_says_what_it_left_out() {
    let recorder = Recorder::default();
    recorder
        .during(async {
            for host in 0..600 {
                contact(Purpose::of(Errand::Page), &host.to_string(), false, 1);
            }
        })
        .await;
    let ledger = recorder.ledger();
    assert_eq!((ledger.contacts.len(), ledger.unlisted), (500, 100));
}
