//! An HTTP/1.1 server on the loopback interface: one thread for each connection, one lock around the cloud.
//!
//! The API and the control requests share one port. The metadata server has one port for each instance, by which it knows which
//! instance sends a request.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::cloud::{CloudState, EmulatedCloud};
use crate::metadata::TokenIssuer;
use crate::{ApiGateway, EmulatorOptions, GatewayRequest, GatewayResponse, LoopDevices};

/// The maximum size of a body.
const MAX_BODY: usize = 1 << 20;

struct ServerState {
    gateway: Mutex<ApiGateway>,
    began: Instant,
    state: PathBuf,
}

/// The emulator while it listens. When it is dropped, it detaches every device.
pub struct HttpServer {
    /// The value for the keyword gce_endpoint.
    pub api: String,
    /// The address of the control requests.
    pub control: String,
    /// The values for the keyword gce_metadata, by instance.
    pub metadata: BTreeMap<String, String>,
    shared: Arc<ServerState>,
    loops: LoopDevices,
}

impl HttpServer {
    /// Starts to listen.
    pub fn start(options: &EmulatorOptions) -> Result<HttpServer> {
        let loops = LoopDevices {
            directory: options.directory.join("disks"),
            links: options.links(),
            gigabyte: options.gigabyte,
        };
        fs::create_dir_all(&loops.directory).with_context(|| loops.directory.display().to_string())?;
        let shared = Arc::new(ServerState {
            gateway: Mutex::new(gateway(options, &loops)?),
            began: Instant::now(),
            state: options.directory.join("state.json"),
        });
        let api = serve(options.listen, &shared, None)?;
        let mut metadata = BTreeMap::new();
        for (instance, _) in &options.instances {
            let address = serve(SocketAddr::from(([127, 0, 0, 1], 0)), &shared, Some(instance.clone()))?;
            metadata.insert(instance.clone(), format!("http://{address}/computeMetadata/v1"));
        }
        let (api, control) = (format!("http://{api}/compute/v1"), format!("http://{api}/control"));
        Ok(HttpServer { api, control, metadata, shared, loops })
    }

    /// Accesses the cloud directly, without a request.
    pub fn with<T>(&self, work: impl FnOnce(&mut ApiGateway) -> T) -> T {
        work(&mut self.shared.gateway.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        // Holding the lock prevents further requests from attaching a device.
        self.with(|_| self.loops.clean_up());
    }
}

/// Runs until the standard input is closed.
pub fn run(options: &EmulatorOptions) -> Result<()> {
    let server = HttpServer::start(options)?;
    let line = json!({"api": server.api, "control": server.control, "metadata": server.metadata});
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{line}")?;
    stdout.flush()?;
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}

fn gateway(options: &EmulatorOptions, loops: &LoopDevices) -> Result<ApiGateway> {
    let mut cloud = EmulatedCloud::new(&options.project, Box::new(loops.clone()));
    cloud.steps = options.steps.max(1);
    let state = options.directory.join("state.json");
    if state.exists() {
        let text = fs::read(&state).with_context(|| state.display().to_string())?;
        cloud.restore(serde_json::from_slice(&text).with_context(|| state.display().to_string())?);
    }
    for (instance, _) in &options.instances {
        cloud.add_instance(instance, &options.zone);
    }
    cloud.show_devices().map_err(anyhow::Error::msg)?;
    let mut gateway = ApiGateway::new(cloud);
    gateway.zone.clone_from(&options.zone);
    gateway.tokens = TokenIssuer::new(options.lifetime());
    Ok(gateway)
}

/// Starts to listen, and returns the address.
fn serve(address: SocketAddr, shared: &Arc<ServerState>, instance: Option<String>) -> Result<SocketAddr> {
    ensure!(address.ip().is_loopback(), "{address} is not on the loopback interface");
    let listener = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    let address = listener.local_addr()?;
    let shared = shared.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (shared, instance) = (shared.clone(), instance.clone());
            // A client that closes the connection early is not an error of the server.
            std::thread::spawn(move || drop(converse(stream, &shared, instance.as_deref())));
        }
    });
    Ok(address)
}

fn converse(stream: TcpStream, shared: &ServerState, instance: Option<&str>) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    while let Some(mut request) = receive(&mut reader)? {
        request.instance = instance.map(str::to_owned);
        let Some(response) = shared.answer(&request)? else { return Ok(()) };
        send(&mut stream, &response)?;
    }
    Ok(())
}

impl ServerState {
    fn answer(&self, request: &GatewayRequest) -> Result<Option<GatewayResponse>> {
        let mut gateway = self.gateway.lock().unwrap_or_else(PoisonError::into_inner);
        let before = request.method != "GET";
        let response = gateway.answer(request, self.began.elapsed());
        if before || request.target.contains("/operations/") {
            save(&self.state, gateway.cloud.state())?;
        }
        Ok(response)
    }
}

/// Writes the state atomically.
fn save(path: &Path, state: &CloudState) -> Result<()> {
    let draft = path.with_extension("new");
    fs::write(&draft, serde_json::to_vec(state)?)?;
    Ok(fs::rename(draft, path)?)
}

/// The next request of a connection. None if the client closed it.
fn receive(reader: &mut BufReader<TcpStream>) -> Result<Option<GatewayRequest>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace();
    let (method, target) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        ensure!(reader.read_line(&mut line)? > 0, "the head breaks off");
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or(Ok(0), |length| length.parse::<usize>())?;
    ensure!(length <= MAX_BODY, "the body is longer than {MAX_BODY} bytes");
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(GatewayRequest { method, target, headers, body, instance: None }))
}

fn send(stream: &mut TcpStream, response: &GatewayResponse) -> Result<()> {
    let mut head = format!("HTTP/1.1 {} {}\r\n", response.status, if response.status < 400 { "OK" } else { "Refused" });
    for (name, value) in &response.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", response.body.len()));
    let mut message = head.into_bytes();
    message.extend_from_slice(&response.body);
    Ok(stream.write_all(&message)?)
}
