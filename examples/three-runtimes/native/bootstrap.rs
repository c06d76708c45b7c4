//! Counts primes by trial division: plain arithmetic in one thread, and nothing else.
//!
//! A custom runtime in the standard library alone, so that `rustc` builds it without a network. It
//! asks the Runtime API for an event, answers, and asks again; a real function would use the crate
//! `lambda_runtime`.

use std::env;
use std::io::{BufRead, BufReader, Error, Read, Write};
use std::net::TcpStream;

fn main() -> Result<(), Error> {
    let api = env::var("AWS_LAMBDA_RUNTIME_API").expect("Lambda sets it");
    let mut connection = BufReader::new(TcpStream::connect(&api)?);
    connection.get_ref().set_nodelay(true)?;
    loop {
        let (id, event) = exchange(&mut connection, &api, "GET", "next", "")?;
        let limit = limit_of(&event).unwrap_or(20_000);
        let primes = (2..limit).filter(|&number| is_prime(number)).count();
        let answer = format!("{{\"limit\": {limit}, \"primes\": {primes}}}");
        exchange(&mut connection, &api, "POST", &format!("{id}/response"), &answer)?;
    }
}

fn is_prime(number: u32) -> bool {
    let mut divisor = 2;
    while divisor * divisor <= number {
        if number % divisor == 0 {
            return false;
        }
        divisor += 1;
    }
    true
}

/// The number behind `"limit":`. A real function would parse its event.
fn limit_of(event: &str) -> Option<u32> {
    let after = event.split("\"limit\"").nth(1)?;
    let digits = after.trim_start_matches([':', ' ']);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse().ok()
}

/// Send one request over the kept connection: the event's id, where there is one, and the body.
fn exchange(
    connection: &mut BufReader<TcpStream>,
    api: &str,
    method: &str,
    path: &str,
    body: &str,
) -> Result<(String, String), Error> {
    let size = body.len();
    let request = format!(
        "{method} /2018-06-01/runtime/invocation/{path} HTTP/1.1\r\n\
         Host: {api}\r\nContent-Length: {size}\r\n\r\n{body}"
    );
    connection.get_mut().write_all(request.as_bytes())?;
    let (mut id, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        connection.read_line(&mut line)?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(": ") {
            match name.to_ascii_lowercase().as_str() {
                "lambda-runtime-aws-request-id" => id = value.to_string(),
                "content-length" => length = value.parse().unwrap_or(0),
                _ => {}
            }
        }
    }
    let mut content = vec![0; length];
    connection.read_exact(&mut content)?;
    Ok((id, String::from_utf8_lossy(&content).into_owned()))
}
