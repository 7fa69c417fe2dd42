//! A delay line for `bin/bench`: forwards connections to a port of this machine and hands every byte of the replies on
//! a fixed time after it arrived, which lengthens each round trip by that time.
//!
//! `delay_proxy PORT MICROSECONDS` prints the port that it listens on, and ends with its standard input.
//!
//! A chunk waits in a queue while the next ones are read, so that what is under way at once is limited by neither: a
//! reader that slept would allow one chunk per millisecond. Only the standard library is used, for `rustc` alone to
//! build it in a second.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

/// A pipelining client reads replies in this size or less.
const CHUNK: usize = 256 * 1024;
/// Chunks under way: at 1 ms each second many times what a loopback carries.
const UNDER_WAY: usize = 4096;
/// How late the kernel may end a sleep, in ns: it allows itself 50 µs unless told, and waiting awake for the rest would
/// take processor time from what is measured.
const SLACK: &str = "1";

struct Chunk {
    due: Instant,
    bytes: Vec<u8>,
}

fn main() {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse::<u64>());
    let (Some(Ok(port)), Some(Ok(delay))) = (numbers.next(), numbers.next()) else {
        eprintln!("usage: delay_proxy PORT MICROSECONDS");
        std::process::exit(2);
    };
    if let Err(error) = serve(port, Duration::from_micros(delay)) {
        eprintln!("delay_proxy: {error}");
        std::process::exit(1);
    }
}

fn serve(port: u64, delay: Duration) -> io::Result<()> {
    // Threads inherit it. Where it cannot be set, the delay is that much longer.
    let _ = std::fs::write("/proc/self/timerslack_ns", SLACK);
    let port = u16::try_from(port).map_err(io::Error::other)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    println!("{}", listener.local_addr()?.port());
    // Whoever started us holds the other end, and its death closes that as well.
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(0);
    });
    for client in listener.incoming() {
        let client = client?;
        let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (commands, replies) = (client.try_clone()?, server.try_clone()?);
        let (queue, line) = mpsc::sync_channel(UNDER_WAY);
        thread::spawn(move || forward(commands, server));
        thread::spawn(move || collect(replies, &queue, delay));
        thread::spawn(move || deliver(&line, client));
    }
    Ok(())
}

/// What the client says goes on at once: the whole delay is on the way back.
fn forward(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = vec![0; CHUNK];
    while let Ok(size @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..size]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}

fn collect(mut from: TcpStream, queue: &SyncSender<Chunk>, delay: Duration) {
    let mut buffer = vec![0; CHUNK];
    while let Ok(size @ 1..) = from.read(&mut buffer) {
        let due = Instant::now() + delay;
        let bytes = buffer[..size].to_vec();
        if queue.send(Chunk { due, bytes }).is_err() {
            break;
        }
    }
}

fn deliver(line: &Receiver<Chunk>, mut to: TcpStream) {
    for chunk in line {
        thread::sleep(chunk.due.saturating_duration_since(Instant::now()));
        if to.write_all(&chunk.bytes).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
}
