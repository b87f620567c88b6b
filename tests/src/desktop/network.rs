//! A machine without a network: a namespace with nothing but the loopback device, and a way in for the test itself.
//!
//! The driver and the app live in it together; the test speaks to the driver through [`way_in`].

use std::ffi::OsStr;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What goes before a command to run it without a network.
pub(super) fn without(program: impl AsRef<OsStr>) -> Vec<std::ffi::OsString> {
    let before = [
        "unshare",
        "--user",
        "--map-current-user",
        "--keep-caps",
        "--net",
        "--",
        "sh",
        "-c",
        // It becomes the command, so that ending it by its id ends the command.
        "ip link set lo up && exec \"$0\" \"$@\"",
    ];
    before
        .iter()
        .map(Into::into)
        .chain([program.as_ref().to_owned()])
        .collect()
}

/// A port here that leads to one where `process` is. The way is closed with the task.
pub(super) async fn way_in(process: u32, port: u16) -> Result<(u16, JoinHandle<()>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let here = listener.local_addr().context("the way in")?.port();
    let task = tokio::spawn(async move {
        let mut carriers = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            carriers.extend(carry(stream, process, port));
        }
    });
    Ok((here, task))
}

/// One connection: a process in there that copies between its own socket and ours.
fn carry(stream: tokio::net::TcpStream, process: u32, port: u16) -> Result<tokio::process::Child> {
    let stream = stream.into_std()?;
    stream.set_nonblocking(false)?;
    let mut enter = Command::new("nsenter");
    let copy = format!("exec 3<>/dev/tcp/127.0.0.1/{port}; cat <&3 & cat >&3; kill $!");
    enter
        .args([
            "--preserve-credentials",
            "--user",
            "--net",
            "--target",
            &process.to_string(),
            "bash",
            "-c",
            &copy,
        ])
        .stdin(Stdio::from(std::os::fd::OwnedFd::from(stream.try_clone()?)))
        .stdout(Stdio::from(std::os::fd::OwnedFd::from(stream)))
        .stderr(Stdio::null());
    Ok(tokio::process::Command::from(enter).kill_on_drop(true).spawn()?)
}
