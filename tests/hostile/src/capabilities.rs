//! Attacks that try to use the capabilities beyond the grants.

use hostler_sdk::net::Route;
use hostler_sdk::prelude::*;

pub(crate) fn attempt(verb: &str, rest: &[&str]) -> Option<Result<String>> {
    let answer = match (verb, rest) {
        ("stat", [path]) => files::stat(path).map(|found| format!("{found:?}")),
        ("read", [path]) => files::read_text(path),
        ("list", [path]) => files::list_directory(path).map(|names| names.join(" ")),
        ("write", [path, text]) => files::write(path, text, Mode(0o644)).map(done),
        ("remove", [path]) => files::remove(path).map(yes),
        ("remove-tree", [path]) => files::remove_tree(path).map(yes),
        ("set-mode", [path]) => files::set_mode(path, Mode(0o777)).map(done),
        ("mount", [fstype, source, target, options @ ..]) => {
            let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
            mount::mount(fstype, source, target, &options).map(done)
        }
        ("unmount", [target]) => mount::unmount(target).map(done),
        ("probe", [device]) => block::probe(device).map(|found| format!("{found:?}")),
        ("attach-loop", [file]) => block::attach_loop(file, false).map(|device| device.path),
        ("add-address", [dev, cidr]) => net::add_address(dev, cidr, "").map(done),
        ("set-up", [dev]) => net::set_up(dev).map(done),
        ("add-route", [destination]) => {
            let route = Route::new(destination, None, Some("lo"));
            net::add_route(&route).map(yes)
        }
        ("look-into", [netns]) => netns::look(netns).map(|found| format!("{found:?}")),
        ("plug", [netns, mode, dev]) => netns::plug(netns, mode, dev, None, None).map(|link| link.name),
        ("unplug", [netns, mode, dev]) => netns::unplug(netns, mode, dev).map(yes),
        ("add-inside", [netns, cidr]) => netns::add_address(netns, "lo", cidr, true).map(yes),
        ("announce-inside", [netns, address]) => netns::announce(netns, "lo", address).map(done),
        ("route-inside", [netns, destination]) => {
            let route = Route::new(destination, None, Some("lo"));
            netns::add_route(netns, &route, true).map(yes)
        }
        ("run", [program, args @ ..]) => {
            Command::new(program).args(args.iter().copied()).run().map(|output| output.text())
        }
        ("spawn", [program, args @ ..]) => {
            Command::new(program).args(args.iter().copied()).spawn().map(|pid| pid.to_string())
        }
        ("run-as", [user, program]) => Command::new(program).user(*user).run().map(|output| output.text()),
        ("run-with-group", [group, program]) => Command::new(program).group(*group).run().map(|output| output.text()),
        ("run-in", [directory, program]) => Command::new(program).cwd(*directory).run().map(|output| output.text()),
        ("run-with", [name, value, program]) => {
            Command::new(program).env(name, value).run().map(|output| output.text())
        }
        ("write-mode", [path, mode]) => {
            files::write(path, "#!/bin/sh\n", Mode(u32::from_str_radix(mode, 8).unwrap_or(0))).map(done)
        }
        ("chmod", [path, mode]) => files::set_mode(path, Mode(u32::from_str_radix(mode, 8).unwrap_or(0))).map(done),
        ("get", [url]) => http::HttpRequest::new("GET", *url).send().map(|response| response.text()),
        ("ask", [method, socket, path]) => {
            http::HttpRequest::unix(method, socket, *path).send().map(|response| response.text())
        }
        ("engine", [method, socket, path, rest @ ..]) => {
            let request = http::HttpRequest::unix(method, socket, *path);
            let request = match rest {
                [body, headers @ ..] => {
                    let headers = headers.chunks_exact(2);
                    headers.fold(request.body(*body), |request, pair| request.header(pair[0], pair[1]))
                }
                [] => request,
            };
            request.send().map(|response| format!("{} {}", response.status, response.text()))
        }
        ("start-volume", [name]) => volume::start(name),
        ("make-volume", [name]) => volume::make(name, &[]).map(yes),
        ("look-at-volume", [name]) => volume::look(name).map(|found| format!("{found:?}")),
        ("remember", [value]) => state::set(state::StateScope::Boot, "key", value).map(done),
        _ => return None,
    };
    Some(answer.map_err(Error::from))
}

fn done(_: ()) -> String {
    "done".to_owned()
}

fn yes(changed: bool) -> String {
    changed.to_string()
}
