//! A slow line: stands before a server of this machine, and carries so many bytes a second each way, for all connections
//! together.

use std::io::{Read, Result as IoResult, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Carried at a time, so that several connections share the line fairly.
const PIECE: usize = 4 << 10;

/// The line. Dropping it lets nobody in any more.
#[derive(Debug)]
pub struct SlowLine {
    port: u16,
    is_over: Arc<AtomicBool>,
}

impl SlowLine {
    /// Listens on a free port, and passes on to `port`.
    ///
    /// # Errors
    /// When no port is free.
    pub fn before(port: u16, bytes_a_second: u32) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("finding a free port")?;
        let own = listener.local_addr().context("finding a free port")?.port();
        let is_over = Arc::new(AtomicBool::new(false));
        let over = is_over.clone();
        let [there, back] = [(); 2].map(|()| Arc::new(Way::new(bytes_a_second)));
        thread::spawn(move || {
            for client in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                // A client that goes away in the midst is nothing to tell.
                let _ = client.and_then(|client| pass_on(client, port, &there, &back));
            }
        });
        Ok(Self { port: own, is_over })
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for SlowLine {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // The listener waits for a connection; this one ends it.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

/// One way of the line, which carries one piece after another.
#[derive(Debug)]
struct Way {
    free_at: Mutex<Instant>,
    bytes_a_second: u32,
}

impl Way {
    fn new(bytes_a_second: u32) -> Self {
        Self {
            free_at: Mutex::new(Instant::now()),
            bytes_a_second,
        }
    }

    /// Returns when so many bytes have gone over.
    fn carry(&self, bytes: usize) {
        let takes = Duration::from_secs_f64(bytes as f64 / f64::from(self.bytes_a_second));
        let until = {
            let mut free_at = self.free_at.lock().expect("nobody panics while waiting");
            *free_at = (*free_at).max(Instant::now()) + takes;
            *free_at
        };
        thread::sleep(until.saturating_duration_since(Instant::now()));
    }
}

fn pass_on(client: TcpStream, port: u16, there: &Arc<Way>, back: &Arc<Way>) -> IoResult<()> {
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let (from_client, to_server) = (client.try_clone()?, server.try_clone()?);
    let (there, back) = (there.clone(), back.clone());
    thread::spawn(move || copy(from_client, to_server, &there));
    thread::spawn(move || copy(server, client, &back));
    Ok(())
}

fn copy(mut from: TcpStream, mut to: TcpStream, way: &Way) {
    let mut piece = [0; PIECE];
    while let Ok(read @ 1..) = from.read(&mut piece) {
        way.carry(read);
        if to.write_all(&piece[..read]).is_err() {
            // Nobody is there, and whoever sends hears of it.
            let _ = from.shutdown(Shutdown::Both);
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
