//! What happens on the node, reported to the owner as it happens. Each source is a task of its own that ends with the owner; one
//! that fails is tried again, and until then the clock alone makes the daemon look.

mod container;

pub(crate) use container::EngineWatch;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use agent::Directories;
use agent::home::layout::{object_of_config_file, object_of_directory};
use kernel::watch::{MountWatch, NetWatch, TreeChange, TreeWatch};
use model::ObjectPath;
use tokio::sync::mpsc::UnboundedSender;

use crate::owner::Message;

/// How long a source that failed is left alone.
const RETRY: Duration = Duration::from_secs(5);

/// Something that happened on the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Notice {
    /// The configuration of an object was written, made or removed.
    Config(ObjectPath),
    /// A configuration of the node itself: what all objects mean may have changed.
    NodeConfig,
    /// Somebody acts on an instance, or has frozen, thawed or cleared it.
    Hand(ObjectPath),
    /// What the instance holds has changed.
    Holdings(ObjectPath),
    /// In this control group the first process has begun, or the last one has ended.
    Group(PathBuf),
    Mounts,
    Net,
    /// Something happened to a container of an object.
    Container(ObjectPath),
    /// An engine came or went: anything may have happened to its containers.
    Containers,
    /// Events were lost.
    Everything,
}

/// Begins to watch.
pub(crate) fn watch(home: &Directories, slice: Option<PathBuf>, mail: &UnboundedSender<Message>) {
    let etc = home.etc.clone();
    tree(home.etc.clone(), TreeWatch::of_whole_files, mail, move |file| config_notice(&etc, file));
    let actions = home.run.join("action");
    let root = actions.clone();
    tree(actions, TreeWatch::new, mail, move |file| {
        Some(Notice::Hand(object_of_directory(file.strip_prefix(&root).ok()?)?))
    });
    let locks = home.run.join("lock");
    let root = locks.clone();
    // A holder that is killed closes the lock without a note.
    tree(locks, TreeWatch::new, mail, move |file| {
        let lock = file.strip_prefix(&root).ok()?;
        let action = lock.extension().is_some_and(|extension| extension == "action");
        action.then(|| object_of_directory(&lock.with_extension(""))).flatten().map(Notice::Hand)
    });
    for root in [home.run.join("holdings"), home.var.join("holdings")] {
        let top = root.clone();
        tree(root, TreeWatch::new, mail, move |file| {
            Some(Notice::Holdings(object_of_directory(file.strip_prefix(&top).ok()?)?))
        });
    }
    if let Some(slice) = slice {
        tree(slice, TreeWatch::of_control_groups, mail, |file| {
            // The kernel reports a change of `populated` as a modification of this file (cgroup-v2.rst).
            let events = file.file_name().is_some_and(|name| name == "cgroup.events");
            events.then(|| file.parent().map(|group| Notice::Group(group.to_owned()))).flatten()
        });
    }
    let sender = mail.clone();
    tokio::spawn(async move { again(&sender, follow_mounts).await });
    let sender = mail.clone();
    tokio::spawn(async move { again(&sender, follow_net).await });
}

/// The configuration that a file below `etc` is.
fn config_notice(etc: &Path, file: &Path) -> Option<Notice> {
    let file = file.strip_prefix(etc).ok()?;
    match object_of_config_file(file) {
        Some(path) if path == ObjectPath::cluster() => Some(Notice::NodeConfig),
        Some(path) => Some(Notice::Config(path)),
        None if file == Path::new("node.conf") => Some(Notice::NodeConfig),
        None => None,
    }
}

/// Watches a directory and all below it: from now on, before anything in it is read.
fn tree(
    root: PathBuf,
    open: fn(&Path) -> io::Result<TreeWatch>,
    mail: &UnboundedSender<Message>,
    notice: impl Fn(&Path) -> Option<Notice> + Send + Sync + 'static,
) {
    let make = move || std::fs::create_dir_all(&root).and_then(|()| open(&root));
    let (mail, mut watch) = (mail.clone(), make());
    tokio::spawn(async move {
        while !mail.is_closed() {
            match watch {
                Ok(watch) => {
                    let _ = follow_tree(watch, &mail, &notice).await;
                }
                Err(_) => tokio::time::sleep(RETRY).await,
            }
            watch = make();
            // What happened meanwhile was not reported.
            let _ = mail.send(Message::Noticed(Notice::Everything));
        }
    });
}

async fn follow_tree(
    mut watch: TreeWatch,
    mail: &UnboundedSender<Message>,
    notice: &(dyn Fn(&Path) -> Option<Notice> + Send + Sync),
) -> io::Result<()> {
    loop {
        let changes = watch.changes().await?;
        let mut notices: Vec<Notice> = changes
            .into_iter()
            .filter_map(|change| match change {
                TreeChange::File(file) => notice(&file),
                TreeChange::Everything => Some(Notice::Everything),
            })
            .collect();
        // One write is several events in a row (inotify(7)), so it is enough to compare neighbours.
        notices.dedup();
        for notice in notices {
            if mail.send(Message::Noticed(notice)).is_err() {
                return Ok(());
            }
        }
    }
}

/// Follows a source until it fails, and again after a while.
async fn again<F>(mail: &UnboundedSender<Message>, follow: impl Fn(UnboundedSender<Message>) -> F)
where
    F: Future<Output = io::Result<()>>,
{
    while !mail.is_closed() {
        let _ = follow(mail.clone()).await;
        tokio::time::sleep(RETRY).await;
    }
}

async fn follow_mounts(mail: UnboundedSender<Message>) -> io::Result<()> {
    let watch = MountWatch::new()?;
    loop {
        watch.changed().await?;
        if mail.send(Message::Noticed(Notice::Mounts)).is_err() {
            return Ok(());
        }
    }
}

async fn follow_net(mail: UnboundedSender<Message>) -> io::Result<()> {
    let watch = NetWatch::new()?;
    loop {
        watch.changed().await?;
        if mail.send(Message::Noticed(Notice::Net)).is_err() {
            return Ok(());
        }
    }
}
