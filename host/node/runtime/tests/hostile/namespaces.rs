//! Network namespaces that a driver must not enter, wherever it got their names from.

use std::future::Future;

use driver::{ActionError, Verb};
use nix::sched::{CloneFlags, unshare};

use crate::guest::{Hostile, silent};
use crate::guest_namespace::{GuestNamespace, ip, skipped};
use crate::support::bounds;

/// On a node of its own, which has the bridge `br0`.
fn on_a_node<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send + 'static) {
    let thread = std::thread::spawn(move || {
        if let Err(errno) = unshare(CloneFlags::CLONE_NEWNET) {
            return skipped(&format!("no network namespace to be had: {errno}"));
        }
        ip("link add br0 type bridge");
        ip("link set br0 up");
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test());
    });
    thread.join().unwrap();
}

fn joining(rid: &str, path: &str) -> Vec<(String, String)> {
    [("joined.rid", rid), ("joined.netns", path)].map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
}

fn netns_keyword(hostile: &mut Hostile, value: &str) {
    let keyword = hostile.keywords.iter_mut().find(|keyword| keyword.name == "netns").unwrap();
    keyword.values = vec![value.to_owned()];
}

#[test]
fn granted_operations_work_only_in_the_namespace_of_the_joined_resource() {
    on_a_node(async || {
        let (guest, mut hostile) = (GuestNamespace::new(), Hostile::trusted());
        hostile.vars = joining("container#1", guest.path());
        assert_eq!(hostile.start(&["plug", "container#1", "bridge", "br0"]).await, Ok("eth0".to_owned()));
        assert_eq!(hostile.start(&["add-inside", "container#1", "10.0.0.9/24"]).await, Ok("true".to_owned()));
        // It joins another one: the name leads nowhere.
        hostile.vars = joining("container#2", guest.path());
        assert_eq!(hostile.start(&["look-into", "container#1"]).await, Ok("None".to_owned()));
        assert!(hostile.start(&["plug", "container#1", "bridge", "br0"]).await.is_err());
        hostile.vars = joining("container#1", guest.path());
        assert_eq!(hostile.start(&["unplug", "container#1", "bridge", "br0"]).await, Ok("true".to_owned()));
    });
}

#[test]
fn the_node_s_own_network_is_out_of_reach_by_every_name() {
    on_a_node(async || {
        let own = format!("/proc/{}/ns/net", nix::unistd::gettid());
        let mut hostile = Hostile::trusted();
        hostile.vars = joining("container#1", &own);
        for netns in ["container#1", &own] {
            netns_keyword(&mut hostile, netns);
            for words in [
                &["look-into", netns][..],
                &["plug", netns, "bridge", "br0"],
                &["add-inside", netns, "10.0.0.9/24"],
                &["announce-inside", netns, "10.0.0.9"],
            ] {
                let error = hostile.start(words).await.unwrap_err();
                let why = format!("{netns} is in the network namespace of the node itself");
                assert_eq!(error, ActionError::Failed(why), "{words:?}");
            }
            assert_eq!(hostile.start(&["unplug", netns, "bridge", "br0"]).await, Ok("false".to_owned()));
        }
        assert!(!ip("address").contains("10.0.0.9"));
    });
}

#[test]
fn another_resources_link_is_not_unplugged() {
    on_a_node(async || {
        let (guest, mut hostile) = (GuestNamespace::new(), Hostile::trusted());
        hostile.vars = joining("container#1", guest.path());
        hostile.start(&["plug", "container#1", "bridge", "br0"]).await.unwrap();
        let mut other = hostile.attempt(&["unplug", "container#1", "bridge", "br0"]);
        other.rid = "app#2".parse().unwrap();
        let report = hostile.driver.act(Verb::Start, &other, &bounds(), silent()).await;
        assert_eq!(report.result, Ok("false".to_owned()));
        assert!(guest.run(|| ip("link")).contains("eth0"));
        assert_eq!(hostile.start(&["unplug", "container#1", "bridge", "br0"]).await, Ok("true".to_owned()));
    });
}

#[test]
fn status_looks_and_changes_nothing() {
    on_a_node(async || {
        let (guest, mut hostile) = (GuestNamespace::new(), Hostile::trusted());
        hostile.vars = joining("container#1", guest.path());
        for words in [
            &["plug", "container#1", "bridge", "br0"][..],
            &["unplug", "container#1", "bridge", "br0"],
            &["add-inside", "container#1", "10.0.0.9/24"],
        ] {
            let status = hostile.driver.status(&hostile.attempt(words), &bounds(), silent()).await;
            assert!(status.messages.iter().any(|message| message.text.contains("denied")), "{words:?}: {status:?}");
        }
        let status = hostile.driver.status(&hostile.attempt(&["look-into", "container#1"]), &bounds(), silent()).await;
        assert!(status.label.contains("loopback"), "{status:?}");
    });
}

/// An installed driver reports a foreign namespace as its own: other drivers must not be directed to it.
#[test]
fn a_foreign_namespace_is_not_exposed() {
    on_a_node(async || {
        let guest = GuestNamespace::new();
        let exposed = async |hostile: &Hostile| {
            let attempt = hostile.attempt(&["expose-netns", guest.path()]);
            let status = hostile.driver.status(&attempt, &bounds(), silent()).await;
            (status.exposes, status.messages.first().map(|message| message.text.clone()))
        };
        let own = vec![("netns".to_owned(), guest.path().to_owned())];
        let ignored = format!("exposes {}, which is not its own: ignored", guest.path());
        let allowed = "digest DIGEST\nallow netns.link = * * in *";
        // It comes with the agent.
        assert_eq!(exposed(&Hostile::trusted()).await, (own.clone(), None));
        // It was installed, and its own namespace is another one.
        let mut installed = Hostile::installed(allowed);
        assert_eq!(exposed(&installed).await, (vec![], Some(ignored.clone())));
        // Its own grants are about this one, and the site allows them.
        netns_keyword(&mut installed, guest.path());
        assert_eq!(exposed(&installed).await, (own, None));
        // The site allows nothing of the kind.
        let mut narrow = Hostile::installed("digest DIGEST\nallow netns.link = * * in /run/netns/*");
        netns_keyword(&mut narrow, guest.path());
        assert_eq!(exposed(&narrow).await, (vec![], Some(ignored)));
    });
}
