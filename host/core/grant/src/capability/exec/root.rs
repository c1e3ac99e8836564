//! Why a driver with a command line is as good as root.

pub(super) const ANY_ARGUMENT: &str = "** allows any option";
pub(super) const ANY_PROGRAM: &str = "the configuration chooses the program";
pub(super) const INTERPRETER: &str = "an interpreter runs any code that it is given";
const GUEST: &str = "the description of a guest names any file, device and program of the node";
const ENGINE: &str = "an engine runs containers as root, with any file of the node in them";

/// Subcommands of virsh that take a description of a guest or of a part of it, or speak past libvirt.
const DESCRIBING: [&str; 8] = [
    "define",
    "create",
    "edit",
    "attach-device",
    "update-device",
    "restore",
    "qemu-monitor-command",
    "save-image-define",
];
const ENGINES: [&str; 4] = ["dockerd", "containerd", "buildkitd", "crio"];

/// Why a command line is as good as root whatever its other words are, by those that are fixed: the program, or one that it starts.
pub(super) fn by_words<'w>(program: &'w str, args: impl Iterator<Item = &'w str> + Clone) -> Option<&'static str> {
    let name = |word: &'w str| word.rsplit('/').next().unwrap_or(word);
    if name(program) == "virsh" && args.clone().any(|word| DESCRIBING.contains(&word)) {
        return Some(GUEST);
    }
    std::iter::once(program).chain(args).any(|word| ENGINES.contains(&name(word))).then_some(ENGINE)
}

/// Whether the program runs code from its arguments.
pub(super) fn is_interpreter(program: &str) -> bool {
    const INTERPRETERS: [&str; 14] = [
        "sh", "bash", "dash", "zsh", "ksh", "busybox", "env", "perl", "python", "python3", "ruby", "node", "lua", "awk",
    ];
    program.rsplit('/').next().is_some_and(|name| INTERPRETERS.contains(&name))
}
