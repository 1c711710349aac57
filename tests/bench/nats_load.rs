//! Load on NATS servers, side by side: throughput, the server's CPU per message, the time of a request.
//!
//! Usage: `nats-load [--rounds N] NAME=HOST:PORT=PID ...`; the first server is the one that the others are held
//! against. Rounds are interleaved and medians are printed, because machines are shared; CPU is what the kernel
//! says the server's process used, which a noisy neighbour changes least.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Of `/proc/PID/stat`: hundredths of a second.
const TICK: Duration = Duration::from_millis(10);

struct Server {
    name: String,
    address: String,
    pid: u32,
}

/// One figure of one round.
struct Figure {
    label: String,
    unit: &'static str,
    value: f64,
}

fn main() -> io::Result<()> {
    let mut rounds = 5;
    let mut servers = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--rounds" {
            rounds = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(rounds);
            continue;
        }
        let mut parts = argument.split('=');
        if let (Some(name), Some(address), Some(Ok(pid))) =
            (parts.next(), parts.next(), parts.next().map(str::parse))
        {
            servers.push(Server {
                name: name.into(),
                address: address.into(),
                pid,
            });
        }
    }
    if servers.is_empty() {
        eprintln!("usage: nats-load [--rounds N] NAME=HOST:PORT=PID ...");
        std::process::exit(2);
    }
    let idle: Vec<f64> = servers.iter().map(|server| memory_mb(server.pid)).collect();
    let mut samples: Vec<Vec<Vec<Figure>>> = servers.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for turn in 0..servers.len() {
            let at = (turn + round) % servers.len();
            samples[at].push(measure(&servers[at])?);
        }
    }
    let mut table = format!("{:34}", "");
    for server in &servers {
        write!(table, "{:>16}", server.name).ok();
    }
    println!("{table}");
    let row = |label: &str, unit: &str, values: &[f64]| {
        let mut line = format!("{label:26}{unit:>8}");
        for value in values {
            write!(line, "{value:>16.3}").ok();
        }
        for value in values.iter().skip(1) {
            write!(line, "   {:.2}x", values[0] / value).ok();
        }
        println!("{line}");
    };
    row("memory, idle", "MB", &idle);
    for (at, figure) in samples[0][0].iter().enumerate() {
        let medians: Vec<f64> = samples
            .iter()
            .map(|rounds| median(rounds.iter().map(|round| round[at].value).collect()))
            .collect();
        row(&figure.label, figure.unit, &medians);
    }
    let now: Vec<f64> = servers.iter().map(|server| memory_mb(server.pid)).collect();
    row("memory, after", "MB", &now);
    Ok(())
}

fn measure(server: &Server) -> io::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (subscribers, bytes, messages) in [(1, 16, 1_000_000), (1, 128, 1_000_000), (10, 128, 150_000)] {
        let label = format!("1:{subscribers} of {bytes} B");
        let (elapsed, cpu) = flood(server, subscribers, bytes, messages)?;
        let delivered = f64::from(messages) * f64::from(subscribers);
        figures.push(Figure {
            label: label.clone(),
            unit: "k/s",
            value: delivered / elapsed.as_secs_f64() / 1e3,
        });
        figures.push(Figure {
            label: format!("{label}, CPU"),
            unit: "us/msg",
            value: cpu.as_secs_f64() * 1e6 / delivered,
        });
    }
    let (median, tail, cpu) = requests(server, 10_000)?;
    figures.push(Figure {
        label: "request p50".into(),
        unit: "us",
        value: median,
    });
    figures.push(Figure {
        label: "request p99".into(),
        unit: "us",
        value: tail,
    });
    figures.push(Figure {
        label: "request, CPU".into(),
        unit: "us",
        value: cpu.as_secs_f64() * 1e6 / 1e4,
    });
    Ok(figures)
}

/// One publisher, some subscribers; done when all have all.
fn flood(server: &Server, subscribers: u32, bytes: usize, messages: u32) -> io::Result<(Duration, Duration)> {
    let mut receivers = Vec::new();
    for _ in 0..subscribers {
        let mut stream = connect(&server.address)?;
        stream.write_all(b"SUB load.test 1\r\nPING\r\n")?;
        let mut reader = BufReader::with_capacity(256 << 10, stream);
        await_pong(&mut reader)?;
        receivers.push(reader);
    }
    let one = format!("PUB load.test {bytes}\r\n{:x<bytes$}\r\n", "");
    let each = format!("MSG load.test 1 {bytes}\r\n{:x<bytes$}\r\n", "").len() as u64;
    let batch = one.repeat((64 << 10) / one.len());
    let count = u32::try_from(batch.len() / one.len()).unwrap_or(1);
    let mut publisher = connect(&server.address)?;
    let (before, begin) = (cpu(server.pid), Instant::now());
    let threads: Vec<_> = receivers
        .into_iter()
        .map(|mut reader| {
            std::thread::spawn(move || {
                let mut left = each * u64::from(messages);
                while left > 0 {
                    let got = reader.fill_buf()?.len();
                    if got == 0 {
                        return Err(io::Error::other(
                            "the server ended the connection of a subscriber",
                        ));
                    }
                    reader.consume(got);
                    left = left.saturating_sub(got as u64);
                }
                Ok(())
            })
        })
        .collect();
    let mut left = messages;
    while left > 0 {
        let now = left.min(count);
        publisher.write_all(&batch.as_bytes()[..one.len() * now as usize])?;
        left -= now;
    }
    for thread in threads {
        thread
            .join()
            .map_err(|_| io::Error::other("a subscriber failed"))??;
    }
    Ok((begin.elapsed(), cpu(server.pid).saturating_sub(before)))
}

/// One request at a time. Units: microseconds, and CPU in all.
fn requests(server: &Server, count: u32) -> io::Result<(f64, f64, Duration)> {
    let mut servant = connect(&server.address)?;
    servant.write_all(b"SUB load.ask 1\r\nPING\r\n")?;
    let mut questions = BufReader::new(servant.try_clone()?);
    await_pong(&mut questions)?;
    let answering = std::thread::spawn(move || -> io::Result<()> {
        let mut line = String::new();
        for _ in 0..count {
            next_line(&mut questions, &mut line)?;
            let mut payload = [0; 18];
            questions.read_exact(&mut payload)?;
            let reply = line.split(' ').nth(3).unwrap_or_default().to_owned();
            servant.write_all(format!("PUB {reply} 16\r\n0123456789abcdef\r\n").as_bytes())?;
        }
        Ok(())
    });
    let mut asker = connect(&server.address)?;
    asker.write_all(b"SUB inbox.* 1\r\nPING\r\n")?;
    let mut answers = BufReader::new(asker.try_clone()?);
    await_pong(&mut answers)?;
    let before = cpu(server.pid);
    let mut times = Vec::new();
    let mut line = String::new();
    for at in 0..count {
        let begin = Instant::now();
        asker.write_all(format!("PUB load.ask inbox.{at} 16\r\n0123456789abcdef\r\n").as_bytes())?;
        next_line(&mut answers, &mut line)?;
        let mut payload = [0; 18];
        answers.read_exact(&mut payload)?;
        times.push(begin.elapsed().as_secs_f64() * 1e6);
    }
    answering
        .join()
        .map_err(|_| io::Error::other("the servant failed"))??;
    times.sort_by(f64::total_cmp);
    Ok((
        times[times.len() / 2],
        times[times.len() * 99 / 100],
        cpu(server.pid).saturating_sub(before),
    ))
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut info = BufReader::with_capacity(1, stream.try_clone()?);
    info.read_line(&mut String::new())?;
    stream.write_all(b"CONNECT {\"verbose\":false,\"pedantic\":false,\"headers\":true}\r\n")?;
    Ok(stream)
}

/// The next line that is no question for a sign of life: these runs are over before it matters.
fn next_line(reader: &mut impl BufRead, line: &mut String) -> io::Result<()> {
    loop {
        line.clear();
        reader.read_line(line)?;
        if !line.starts_with("PING") {
            return Ok(());
        }
    }
}

fn await_pong(reader: &mut impl BufRead) -> io::Result<()> {
    let mut line = String::new();
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 || line.starts_with("-ERR") {
            return Err(io::Error::other(format!("instead of PONG: {line}")));
        }
        if line.starts_with("PONG") {
            return Ok(());
        }
    }
}

fn cpu(pid: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: u32 = rest
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u32>().ok())
        .sum();
    TICK * ticks
}

fn memory_mb(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib: f64 = line
        .and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or_default();
    kib / 1024.0
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
