//! The writer that needs no model: what it picks, how it reads, and when it says that there is no answer.

use deepsearch_core::{ChatModel, ChatRequest, ModelError, ModelEvent, NumberedPassage, PageId, Purpose, Span};
use deepsearch_llm::ExtractiveWriter;
use futures::StreamExt;
use rstest::rstest;

fn passage(number: u32, title: &str, text: &str) -> NumberedPassage {
    NumberedPassage {
        number,
        page_id: PageId::parse(format!("page_{number}")).expect("an id"),
        title: title.into(),
        url: format!("https://example.com/{number}"),
        span: Span::new(0, text.len()),
        text: text.into(),
        score: 1.0,
    }
}

fn request(question: &str, passages: Vec<NumberedPassage>) -> ChatRequest {
    ChatRequest {
        passages,
        ..crate::question(question)
    }
}

async fn answer(question: &str, passages: Vec<NumberedPassage>) -> String {
    let writer = ExtractiveWriter::default();
    let stream = writer
        .stream(request(question, passages))
        .await
        .expect("it always answers");
    let pieces: Vec<ModelEvent> = stream.map(|event| event.expect("nothing can fail")).collect().await;
    let text = |event| match event {
        ModelEvent::Text(text) => text,
        other => panic!("unexpected {other:?}"),
    };
    pieces.into_iter().map(text).collect()
}

const TOWER: &str = "Eiffel Tower\nThe Eiffel Tower is a wrought-iron lattice tower in Paris, France.[3] It was built \
    between 1887 and 1889 by the company of Gustave Eiffel as the centrepiece of the 1889 World's Fair. The tower is 330 \
    metres tall. Accept all cookies to continue.\nParis has many parks and gardens.";
const OTHER: &str =
    "The Eiffel Tower is a wrought-iron lattice tower in Paris, France.\nTickets are sold at the entrance.";

#[rstest]
#[case(
    "What is the Eiffel Tower?",
    "The Eiffel Tower is a wrought-iron lattice tower in Paris, France. [1][2]"
)]
#[case("How tall is the Eiffel Tower?", "The tower is 330 metres tall. [1]")]
#[case("When was the Eiffel Tower built?", "between 1887 and 1889")]
#[case("Who built the Eiffel Tower?", "the company of Gustave Eiffel")]
#[tokio::test]
async fn the_answer_holds_what_was_asked_for(#[case] question: &str, #[case] expected: &str) {
    let text = answer(
        question,
        vec![passage(1, "Eiffel Tower", TOWER), passage(2, "Paris", OTHER)],
    )
    .await;
    assert!(text.contains(expected), "{text}");
    assert!(!text.contains("cookies") && !text.contains("parks"), "{text}");
}

#[tokio::test]
async fn every_sentence_is_the_sources_own_and_cited() {
    let text = answer(
        "Tell me about the Eiffel Tower",
        vec![passage(1, "", TOWER), passage(2, "", OTHER)],
    )
    .await;
    let bare = TOWER.replace("[3]", "");
    let sentences = text
        .split(']')
        .map(str::trim)
        .filter(|rest| !rest.starts_with('[') && !rest.is_empty());
    for sentence in sentences {
        let words = sentence
            .trim_start_matches("- ")
            .rsplit_once(" [")
            .expect("a citation")
            .0;
        assert!(
            bare.contains(words) || OTHER.contains(words),
            "`{words}` is in no source"
        );
    }
    assert!(!text.contains("[3]"), "a page's own notes are not our sources: {text}");
}

#[tokio::test]
async fn a_sentence_that_leans_on_another_brings_it_along() {
    let text = answer("When was the Eiffel Tower built?", vec![passage(1, "", TOWER)]).await;
    let leaning = text.find("It was built").expect("the answer");
    assert!(text[..leaning].contains("The Eiffel Tower is a"), "{text}");
}

#[rstest]
#[case(
    "Who won the 1998 chess olympiad?",
    "The sources that were found do not answer this question."
)]
#[case(
    "Wer gewann die Schacholympiade?",
    "Die gefundenen Quellen beantworten diese Frage nicht."
)]
#[case("为什么天空是蓝色的？", "找到的来源没有回答这个问题。")]
#[case("لماذا السماء زرقاء؟", "المصادر التي عُثر عليها لا تجيب عن هذا السؤال.")]
#[tokio::test]
async fn where_the_sources_say_nothing_the_answer_says_so(#[case] question: &str, #[case] expected: &str) {
    assert_eq!(
        answer(question, vec![passage(1, "Eiffel Tower", TOWER)]).await,
        expected
    );
    assert_eq!(answer(question, Vec::new()).await, expected);
}

#[tokio::test]
async fn steps_stay_in_order_and_code_stays_code() {
    let page = "Installing\nTo install the server, follow these steps:\n1. Update the package list.\n2. Install the package.\n\
        3. Start the service.\nTo check the server, run this command:\nsudo systemctl status server --no-pager\n";
    let text = answer(
        "How do I install the server?",
        vec![passage(4, "Installing the server", page)],
    )
    .await;
    let (one, three) = (
        text.find("1. Update the package list. [4]"),
        text.find("3. Start the service. [4]"),
    );
    assert!(one.is_some() && one < three, "{text}");
    let text = answer(
        "How do I check the server status?",
        vec![passage(4, "The server", page)],
    )
    .await;
    assert!(
        text.contains("```\nsudo systemctl status server --no-pager\n```"),
        "{text}"
    );
}

#[rstest]
#[case(
    "光合作用是什么？",
    "光合作用是植物利用光能把二氧化碳和水转化为有机物的过程。[1]",
    "光合作用是植物利用光能把二氧化碳和水转化为有机物的过程。猫是一种动物。"
)]
#[case(
    "富士山の高さはいくつですか",
    "富士山の高さは3776メートルである。[1]",
    "富士山は日本の山である。富士山の高さは3776メートルである。猫は動物である。"
)]
#[case(
    "Was ist Photosynthese?",
    "Photosynthese ist ein Vorgang in Pflanzen.",
    "Photosynthese ist ein Vorgang in Pflanzen. Katzen sind Tiere."
)]
#[tokio::test]
async fn other_languages_are_answered_too(#[case] question: &str, #[case] expected: &str, #[case] page: &str) {
    let text = answer(question, vec![passage(1, "", page)]).await;
    assert!(text.replace(" [", "[").contains(expected), "{text}");
    assert!(!text.contains('猫') && !text.contains("Katzen"), "{text}");
}

const SEARXNG: &str = "SearXNG is a free search server that you can run yourself, and DeepSearch can use it without any key. \
    To use your own SearXNG, turn on its JSON format and connect DeepSearch to the server. Cookies are small files that \
    a site keeps in the browser of its visitors.";

/// The sources share no word with the question but the name of what it is about.
#[rstest]
#[case("Wie benutze ich mein eigenes SearXNG?")]
#[case("¿Cómo uso mi propio SearXNG?")]
#[case("Comment utiliser mon propre SearXNG ?")]
#[case("自分の SearXNG を使うには？")]
#[case("如何使用自己的 SearXNG？")]
#[case("كيف أستخدم خادم SearXNG الخاص بي؟")]
#[tokio::test]
async fn sources_in_another_language_answer_how_something_is_done(#[case] question: &str) {
    let text = answer(question, vec![passage(1, "Using your own SearXNG", SEARXNG)]).await;
    assert!(text.contains("turn on its JSON format"), "{text}");
    assert!(!text.contains("Cookies"), "{text}");
}

#[rstest]
#[case("Wie benutze ich meinen Staubsauger?")]
#[case("Wann wurde SearXNG gegründet?")]
#[case("Wie viele Server hat SearXNG?")]
#[tokio::test]
async fn a_name_alone_answers_nothing_else(#[case] question: &str) {
    let text = answer(question, vec![passage(1, "Using your own SearXNG", SEARXNG)]).await;
    assert_eq!(text, "Die gefundenen Quellen beantworten diese Frage nicht.");
}

#[tokio::test]
async fn a_hostile_page_writes_no_markup() {
    let page = "The tower is <img src=x onerror=alert(1)> ![pixel](https://evil.example/p.png) a [link](https://evil.example) tall tower.";
    let text = answer("What is the tower?", vec![passage(1, "", page)]).await;
    assert!(text.contains("tall tower"), "{text}");
    assert!(
        !text.contains("![") && !text.replace("\\]", "").contains("](") && !text.replace("\\<", "").contains('<'),
        "{text}"
    );
}

#[tokio::test]
async fn the_same_question_has_the_same_answer() {
    let passages = vec![passage(1, "", TOWER), passage(2, "", OTHER)];
    let first = answer("What is the Eiffel Tower?", passages.clone()).await;
    for _ in 0..20 {
        assert_eq!(answer("What is the Eiffel Tower?", passages.clone()).await, first);
    }
}

#[rstest]
#[case(Purpose::Plan)]
#[case(Purpose::Title)]
#[case(Purpose::FollowUps)]
#[tokio::test]
async fn it_follows_no_instruction(#[case] purpose: Purpose) {
    let writer = ExtractiveWriter::default();
    assert!(!writer.follows_instructions());
    let error = writer
        .stream(ChatRequest {
            purpose,
            ..request("?", Vec::new())
        })
        .await
        .err();
    assert!(matches!(error, Some(ModelError::Provider { .. })));
}

/// A few of the shapes that reference pages have, each with the phrase that answers.
#[rstest]
#[case(
    "How do I generate a random integer?",
    "`random.randint(a, b)`: Return a random integer N such that a <= N <= b. [1]",
    "Functions for integers\nrandom.randint(a, b)\nReturn a random integer N such that a <= N <= b.\nrandom.choice(seq)\nReturn one element of a sequence.\n"
)]
#[case(
    "What exception is raised when a dictionary key is not found?",
    "`exception KeyError`: Raised when a mapping (dictionary) key is not found",
    "Exceptions\nexception KeyError\nRaised when a mapping (dictionary) key is not found in the set of existing keys.\nexception OSError\nRaised by the system.\n"
)]
#[case(
    "How do I create a virtual environment?",
    "```\npython -m venv tutorial-env\n```",
    "To create a virtual environment, run the module with the directory path:\npython -m venv tutorial-env\nThis will create the directory.\n"
)]
#[case(
    "What is the most efficient way to concatenate many strings?",
    "The recommended idiom is to place them into a list and call join. [1]",
    "What is the most efficient way to concatenate many strings together?\nThe recommended idiom is to place them into a list and call join.\nWhat is a slash?\nA mark.\n"
)]
#[case(
    "What port does the server listen to?",
    "listens to port 8000",
    "The server listens to port 8000 by default.\nPrevious topic | Next topic | Index | Modules\nThe client connects to any port.\n"
)]
#[case(
    "Why is the list of arguments limited?",
    "because the kernel reserves",
    "The list of arguments is limited because the kernel reserves a fixed room.\nArguments are separated by spaces.\n"
)]
#[tokio::test]
async fn reference_pages_are_understood(#[case] question: &str, #[case] expected: &str, #[case] page: &str) {
    let text = answer(question, vec![passage(1, "Reference", page)]).await;
    assert!(text.replace("\\<", "<").contains(expected), "{text}");
    assert!(!text.contains("?"), "a question is no answer: {text}");
}

const TCP: &str = "TCP\nTCP is a connection-oriented protocol that delivers bytes in order. Lost segments are sent again. \
    TCP begins with a handshake of three messages.";
const UDP: &str = "UDP\nUDP is a protocol without connections that sends datagrams on their own. It adds little to IP. \
    Programs that stream sound often use it.";

#[rstest]
#[case("What is the difference between TCP and UDP?")]
#[case("TCP vs. UDP for games")]
#[case("tcp versus udp")]
#[case("How does TCP differ from UDP?")]
#[case("Compare TCP with UDP")]
#[case("Was ist der Unterschied zwischen TCP und UDP?")]
#[tokio::test]
async fn a_comparison_tells_of_both_sides(#[case] question: &str) {
    // The sources speak of one side much more than of the other.
    let more = "TCP\nTCP is used by most of the web. TCP keeps a window of what was sent. Each TCP connection has two \
        ports. TCP closes a connection with a message of its own.";
    let passages = vec![
        passage(1, "Transport", TCP),
        passage(2, "More", more),
        passage(3, "Datagrams", UDP),
    ];
    let text = answer(question, passages).await;
    assert!(text.contains("TCP is a connection-oriented protocol"), "{text}");
    assert!(text.contains("UDP is a protocol without connections"), "{text}");
}

#[tokio::test]
async fn a_comparison_of_which_the_sources_know_one_side_only_is_not_made_up() {
    let text = answer(
        "What is the difference between TCP and QUIC?",
        vec![passage(1, "Transport", TCP)],
    )
    .await;
    assert_eq!(text, "The sources that were found do not answer this question.");
}
