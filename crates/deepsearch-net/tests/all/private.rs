use std::net::{IpAddr, UdpSocket};

use deepsearch_core::Errand;
use deepsearch_net::{Leaves, Network, Place, Purpose, SendError, is_local, leaves};

use crate::network;
use crate::server::Server;

async fn ask(network: &Network, url: url::Url) -> Result<u16, SendError> {
    let client = network.client(|builder| builder.no_proxy()).unwrap();
    let answer = client.send(Purpose::of(Errand::Page), client.get(url)).await?;
    Ok(answer.status().as_u16())
}

fn is_held(result: &Result<u16, SendError>) -> bool {
    matches!(result, Err(SendError::Leaves(_)))
}

#[tokio::test]
async fn a_name_is_not_even_looked_up() {
    let (network, lookup) = network();
    let server = Server::start("hello").await;
    let url = server.url("search.example", "/");
    assert_eq!(ask(&network, url.clone()).await.unwrap(), 200, "the canary works");
    assert_eq!((lookup.asked(), server.connections()), (1, 1));
    network.set_private(true);
    let refused = ask(&network, url).await;
    assert!(is_held(&refused), "{refused:?}");
    assert!(refused.unwrap_err().to_string().contains("private mode is on"));
    assert_eq!(
        (lookup.asked(), server.connections()),
        (1, 1),
        "nobody noticed anything"
    );
}

#[tokio::test]
async fn this_computer_is_spoken_to_and_its_names_need_no_resolver() {
    let (network, lookup) = network();
    let server = Server::start("hello").await;
    network.set_private(true);
    for host in ["127.0.0.1", "localhost", "model.localhost", "LOCALHOST"] {
        assert_eq!(ask(&network, server.url(host, "/")).await.unwrap(), 200, "{host}");
    }
    assert_eq!(lookup.asked(), 0);
}

#[tokio::test]
async fn a_connection_that_was_open_before_is_not_used_any_more() {
    let (network, _) = network();
    let server = Server::start("hello").await;
    let client = network.client(|builder| builder.no_proxy()).unwrap();
    let ask = || async {
        let request = client.get(server.url("kept.example", "/"));
        client.send(Purpose::of(Errand::Page), request).await.map(drop)
    };
    ask().await.unwrap();
    network.set_private(true);
    assert!(matches!(ask().await, Err(SendError::Leaves(_))));
    network.set_private(false);
    ask().await.unwrap();
}

/// An address of this machine that is not loopback, where it has one: what any other computer would be.
fn outward() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip()).filter(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

#[tokio::test]
async fn an_address_in_digits_is_held_back_too() {
    let (network, _) = network();
    network.set_private(true);
    let mut hosts = vec![
        "192.0.2.1".to_owned(),
        "[2001:db8::1]".into(),
        "0.0.0.0".into(),
        "10.0.0.1".into(),
    ];
    hosts.extend(outward().map(|ip| ip.to_string()));
    for host in hosts {
        let refused = ask(&network, format!("http://{host}:9/").parse().unwrap()).await;
        assert!(is_held(&refused), "{host}: {refused:?}");
    }
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "does what a library does that was given the client itself"
)]
async fn a_library_that_nobody_checked_cannot_connect_at_all() {
    let (network, lookup) = network();
    let server = Server::start("hello").await;
    let client = network.library_client(|builder| builder.no_proxy()).unwrap();
    network.set_private(true);
    // Also not to this computer: no code is trusted to know.
    for host in ["127.0.0.1", "model.example"] {
        let error = client.get(server.url(host, "/")).send().await.unwrap_err();
        assert!(leaves(&error).is_some(), "{host}: {error:?}");
    }
    assert_eq!((lookup.asked(), server.connections()), (0, 0));
    let here = server.url("127.0.0.1", "/");
    let answer = network.through(&here, client.get(here.clone()).send()).await.unwrap();
    assert_eq!(answer.unwrap().status().as_u16(), 200);
    let elsewhere = server.url("model.example", "/");
    let asked = network.through(&elsewhere, client.get(elsewhere.clone()).send()).await;
    assert_eq!(
        asked.err(),
        Some(Leaves {
            host: format!("model.example:{}", server.port)
        })
    );
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "does what a library does that was given the client itself"
)]
async fn a_redirect_does_not_lead_out() {
    let (network, lookup) = network();
    network.set_private(true);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 2048]).await;
        let answer = "HTTP/1.1 307 Away\r\nlocation: http://away.example/\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
    });
    let client = network.library_client(|builder| builder.no_proxy()).unwrap();
    let here: url::Url = format!("http://127.0.0.1:{port}/").parse().unwrap();
    let answer = network.through(&here, client.get(here.clone()).send()).await.unwrap();
    assert_eq!(answer.unwrap().status().as_u16(), 307);
    assert_eq!(lookup.asked(), 0);
}

#[test]
fn what_is_this_computer_and_what_only_looks_like_it() {
    let here = [
        "http://127.0.0.1/",
        "http://[::1]:11434/",
        "http://localhost./",
        "http://a.localhost/",
        "http://2130706433/",
        "http://[::ffff:127.0.0.1]/",
    ];
    for url in here {
        assert!(is_local(&url.parse().unwrap()), "{url}");
    }
    let elsewhere = [
        "http://localhost.example.com/",
        "http://127.0.0.1.nip.io/",
        "http://notlocalhost/",
        "http://0.0.0.0/",
        "http://192.168.1.2/",
        "http://[fe80::1]/",
    ];
    for url in elsewhere {
        assert!(!is_local(&url.parse().unwrap()), "{url}");
    }
    for address in [
        "redis://127.0.0.1:6379",
        "postgres://u:p@localhost/db",
        "postgres:///db?host=/run/postgresql",
        "rediss://[::1]",
    ] {
        assert!(Place::of(address).local, "{address}");
    }
    for address in [
        "redis://cache.example",
        "postgres://u:p@localhost/db?host=db.example",
        "not an address",
        "postgres://10.1.2.3/db",
    ] {
        assert!(!Place::of(address).local, "{address}");
    }
}
