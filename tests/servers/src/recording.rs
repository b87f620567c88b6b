//! A recording proxy: stands before an HTTP server of this machine, passes every byte on, and writes down what went by.
//!
//! It reads the messages itself, apart from any HTTP library, so that a ledger can be held against it: what was asked,
//! and how many bytes of body came back, without the frames that carry them.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use anyhow::{Context, Result};

/// One request and what came back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exchange {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// As the client named the server.
    pub host: String,
    pub body: Vec<u8>,
    pub status: u16,
    pub answer: Vec<u8>,
}

/// The proxy. Dropping it ends it.
#[derive(Debug)]
pub struct RecordingProxy {
    port: u16,
    exchanges: Exchanges,
    is_over: Arc<AtomicBool>,
}

type Exchanges = Arc<Mutex<Vec<Exchange>>>;

impl RecordingProxy {
    /// Listens on a free port, and passes on to `port`.
    ///
    /// # Errors
    /// When no port is free.
    pub fn before(port: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("finding a free port")?;
        let own = listener.local_addr().context("finding a free port")?.port();
        let (exchanges, is_over) = (Exchanges::default(), Arc::new(AtomicBool::new(false)));
        let (noted, over) = (exchanges.clone(), is_over.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let noted = noted.clone();
                // A client that goes away in the midst is nothing to tell.
                thread::spawn(move || stream.and_then(|stream| pass_on(stream, port, &noted)));
            }
        });
        Ok(Self {
            port: own,
            exchanges,
            is_over,
        })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// All that went by so far, in order.
    ///
    /// # Panics
    /// When a connection's thread has panicked.
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.exchanges.lock().expect("no panic while noting").clone()
    }
}

impl Drop for RecordingProxy {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // The listener waits for a connection; this one ends it.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

/// One connection: requests one way, answers the other, each pair under one number.
fn pass_on(client: TcpStream, port: u16, exchanges: &Exchanges) -> std::io::Result<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    let numbers = Arc::new(Mutex::new(Vec::new()));
    let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
    let (asked, asked_numbers) = (exchanges.clone(), numbers.clone());
    let there = thread::spawn(move || {
        copy(from_client, to_server, |message| {
            let mut all = asked.lock().expect("no panic while noting");
            let mut numbers = asked_numbers.lock().expect("no panic while noting");
            match message {
                Part::Head(head) => {
                    let mut first = head.lines().next().unwrap_or_default().split(' ');
                    numbers.push(all.len());
                    all.push(Exchange {
                        method: first.next().unwrap_or_default().into(),
                        target: first.next().unwrap_or_default().into(),
                        host: header(head, "host").unwrap_or_default().into(),
                        ..Exchange::default()
                    });
                }
                // Another connection may have begun a request since this one's head went by.
                Part::Body(bytes) => {
                    if let Some(exchange) = numbers.last().and_then(|at| all.get_mut(*at)) {
                        exchange.body.extend_from_slice(bytes);
                    }
                }
            }
        })
    });
    let mut answered = 0;
    let back = copy(server, client, |message| {
        let mut all = exchanges.lock().expect("no panic while noting");
        let numbers = numbers.lock().expect("no panic while noting");
        match message {
            Part::Head(head) => {
                answered += 1;
                let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
                if let Some(exchange) = numbers.get(answered - 1).and_then(|at| all.get_mut(*at)) {
                    exchange.status = status.unwrap_or_default();
                }
            }
            Part::Body(bytes) => {
                if let Some(exchange) = numbers.get(answered - 1).and_then(|at| all.get_mut(*at)) {
                    exchange.answer.extend_from_slice(bytes);
                }
            }
        }
    });
    let _ = there.join();
    back
}

/// What a message consists of, as it goes by.
enum Part<'a> {
    Head(&'a str),
    Body(&'a [u8]),
}

/// Notes first and passes on then: whoever has the bytes finds them noted.
fn copy(mut from: TcpStream, mut to: TcpStream, mut note: impl FnMut(Part<'_>)) -> std::io::Result<()> {
    let mut reader = Messages::default();
    let mut piece = [0; 16 << 10];
    loop {
        let read = from.read(&mut piece)?;
        if read == 0 {
            let _ = to.shutdown(Shutdown::Write);
            return Ok(());
        }
        reader.take(&piece[..read], &mut note);
        to.write_all(&piece[..read])?;
    }
}

/// Reads HTTP/1.1 messages out of a stream of bytes.
#[derive(Default)]
struct Messages {
    waiting: Vec<u8>,
    state: State,
}

#[derive(Default, Clone, Copy)]
enum State {
    #[default]
    Head,
    /// So many bytes of body are still to come.
    Length(usize),
    ChunkSize,
    /// So many bytes of the chunk, and its line break.
    Chunk(usize),
    /// Lines after the last chunk.
    Trailer,
    /// Until the connection ends.
    Rest,
}

impl Messages {
    fn take(&mut self, bytes: &[u8], note: &mut impl FnMut(Part<'_>)) {
        self.waiting.extend_from_slice(bytes);
        while self.step(note) {}
    }

    /// Says whether there may be more.
    fn step(&mut self, note: &mut impl FnMut(Part<'_>)) -> bool {
        match self.state {
            State::Head => {
                let Some(head) = self.until(b"\r\n\r\n") else {
                    return false;
                };
                let head = String::from_utf8_lossy(&head).into_owned();
                note(Part::Head(&head));
                self.state = after_head(&head);
                true
            }
            State::Length(left) => {
                let now = left.min(self.waiting.len());
                self.body(now, note);
                self.state = if now == left {
                    State::Head
                } else {
                    State::Length(left - now)
                };
                now == left && !self.waiting.is_empty()
            }
            State::ChunkSize => {
                let Some(line) = self.until(b"\r\n") else { return false };
                let text = String::from_utf8_lossy(&line);
                let size = text.trim().split(';').next().unwrap_or_default();
                self.state = match usize::from_str_radix(size, 16) {
                    Ok(0) => State::Trailer,
                    Ok(size) => State::Chunk(size),
                    Err(_) => State::Rest,
                };
                true
            }
            State::Chunk(size) => {
                if self.waiting.len() < size + 2 {
                    return false;
                }
                self.body(size, note);
                self.waiting.drain(..2);
                self.state = State::ChunkSize;
                true
            }
            State::Trailer => {
                let Some(line) = self.until(b"\r\n") else { return false };
                if line.len() == 2 {
                    self.state = State::Head;
                }
                true
            }
            State::Rest => {
                self.body(self.waiting.len(), note);
                false
            }
        }
    }

    fn body(&mut self, size: usize, note: &mut impl FnMut(Part<'_>)) {
        let body: Vec<u8> = self.waiting.drain(..size).collect();
        note(Part::Body(&body));
    }

    fn until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        let at = self.waiting.windows(end.len()).position(|window| window == end)?;
        Some(self.waiting.drain(..at + end.len()).collect())
    }
}

fn after_head(head: &str) -> State {
    if header(head, "transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
        return State::ChunkSize;
    }
    match header(head, "content-length").and_then(|length| length.parse().ok()) {
        Some(length) => State::Length(length),
        // An answer without a length goes on until the connection ends; a request without one has no body.
        None if head.starts_with("HTTP/") => State::Rest,
        None => State::Head,
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(header, _)| header.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn until(what: &str, holds: impl Fn() -> bool) {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < Duration::from_secs(20), "in vain: {what}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn what_two_clients_send_at_the_same_time_is_noted_with_the_request_that_it_belongs_to() {
        // It takes connections and says nothing.
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let proxy = RecordingProxy::before(server.local_addr().unwrap().port()).unwrap();
        let begin = |name: &str, seen: usize| {
            let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, proxy.port())).unwrap();
            write!(client, "POST /{name} HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\n").unwrap();
            until("its head", || proxy.exchanges().len() == seen);
            client
        };
        let (mut first, mut second) = (begin("first", 1), begin("second", 2));
        first.write_all(b"one").unwrap();
        second.write_all(b"two").unwrap();
        let sizes = || proxy.exchanges().iter().map(|one| one.body.len()).sum::<usize>();
        until("both bodies", || sizes() == 6);
        let noted: Vec<_> = proxy
            .exchanges()
            .into_iter()
            .map(|one| (one.target, one.body))
            .collect();
        assert_eq!(
            noted,
            [("/first".into(), b"one".to_vec()), ("/second".into(), b"two".to_vec())]
        );
    }

    /// Bytes as they come, cut into pieces of every size.
    fn read(bytes: &[u8]) -> Vec<(String, String)> {
        let mut reads = (1..=bytes.len()).map(|size| {
            let mut messages = Messages::default();
            let mut seen: Vec<(String, String)> = Vec::new();
            for piece in bytes.chunks(size) {
                messages.take(piece, &mut |part| match part {
                    Part::Head(head) => seen.push((head.lines().next().unwrap().into(), String::new())),
                    Part::Body(body) => seen.last_mut().unwrap().1 += std::str::from_utf8(body).unwrap(),
                });
            }
            seen
        });
        let first = reads.next().unwrap();
        assert!(reads.all(|other| other == first));
        first
    }

    #[test]
    fn messages_are_told_apart_however_they_are_cut() {
        let bytes = b"POST /a?b HTTP/1.1\r\ncontent-length: 3\r\n\r\nxyzGET /c HTTP/1.1\r\nhost: h\r\n\r\n";
        assert_eq!(
            read(bytes),
            [
                ("POST /a?b HTTP/1.1".into(), "xyz".into()),
                ("GET /c HTTP/1.1".into(), String::new())
            ]
        );
        let bytes = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n\
                      HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\nto the end";
        assert_eq!(
            read(bytes),
            [
                ("HTTP/1.1 200 OK".into(), "abc0123456789".into()),
                ("HTTP/1.1 200 OK".into(), "to the end".into())
            ]
        );
    }
}
