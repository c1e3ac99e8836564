//! The clients of an export: those of the configuration, in the syntax of exports(5), and those that exportfs(8) reports.

use hostler_sdk::prelude::*;

/// A client to export to, and its options.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ExportClient {
    pub(crate) client: String,
    /// The options for `exportfs -o`.
    pub(crate) options: Option<String>,
}

impl ExportClient {
    /// Reads clients and their options: `n1(rw,fsid=0) 10.0.0.0/24`.
    pub(crate) fn parse(opts: &str) -> std::result::Result<Vec<ExportClient>, String> {
        let mut clients: Vec<ExportClient> = Vec::new();
        for word in opts.split_whitespace() {
            let (client, options) = match word.split_once('(') {
                None => (word, None),
                Some((client, rest)) => match rest.strip_suffix(')') {
                    Some(options) => (client, Some(options).filter(|options| !options.is_empty())),
                    None => return Err(format!("{word:?} does not end with )")),
                },
            };
            // exportfs would read a leading hyphen as an option, and a comma as two clients.
            if client.is_empty() || client.starts_with('-') || client.contains([')', ',']) {
                return Err(format!("{word:?} does not begin with a client: expected a name, an address or a network"));
            }
            if options.is_some_and(|options| options.starts_with('-') || options.contains(['(', ')'])) {
                return Err(format!("{word:?} does not contain options: expected for example (rw,no_root_squash)"));
            }
            if clients.iter().any(|known| known.client == client) {
                return Err(format!("{client} is given twice"));
            }
            clients.push(ExportClient { client: client.to_owned(), options: options.map(str::to_owned) });
        }
        if clients.is_empty() { Err("there is no client: expected for example n1(rw)".to_owned()) } else { Ok(clients) }
    }

    /// The argument `CLIENT:PATH` of exportfs.
    pub(crate) fn of(&self, path: &Path) -> String {
        // exportfs needs brackets around an IPv6 address, because a colon separates the client from the path.
        match self.client.contains(':') && !self.client.starts_with('[') {
            true => format!("[{}]:{}", self.client, path.display()),
            false => format!("{}:{}", self.client, path.display()),
        }
    }
}

/// A client of a line of etab: a directory is exported to it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ExportEntry {
    pub(crate) client: String,
    options: Vec<String>,
}

impl ExportEntry {
    /// The clients of one directory.
    pub(crate) fn parse(etab: &str, path: &Path) -> Vec<ExportEntry> {
        let lines = etab.lines().filter_map(|line| line.split_once(char::is_whitespace));
        let own = lines.filter(|(exported, _)| Path::new(&unescaped(exported)) == path);
        let clients = own.flat_map(|(_, clients)| clients.split_whitespace());
        let export = |word: &str| {
            let (client, options) = word.split_once('(').unwrap_or((word, ""));
            let options = options.trim_end_matches(')').split(',').map(str::to_owned).collect();
            ExportEntry { client: client.to_owned(), options }
        };
        clients.map(export).collect()
    }

    /// The wanted options that the export does not have. It also has defaults, which are ignored.
    pub(crate) fn lacks(&self, wanted: &ExportClient) -> Option<String> {
        let options = wanted.options.as_deref().unwrap_or_default().split(',').filter(|option| !option.is_empty());
        let missing: Vec<&str> = options.filter(|option| !self.options.iter().any(|known| known == option)).collect();
        (!missing.is_empty()).then(|| format!("exported to {} without {}", self.client, missing.join(",")))
    }
}

/// Decodes octal escapes: `\040` is a blank.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let octal = after.first_chunk::<3>().filter(|_| first == b'\\');
        let code = octal.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(code.unwrap_or(first));
        rest = if code.is_some() { &after[3..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_read_as_in_exports() {
        let read = |opts: &str| {
            let clients = ExportClient::parse(opts)?;
            let shown = |wanted: &ExportClient| {
                format!("{} {}", wanted.of(Path::new("/srv")), wanted.options.as_deref().unwrap_or("-"))
            };
            Ok::<_, String>(clients.iter().map(shown).collect::<Vec<_>>().join("; "))
        };
        assert_eq!(read("n1(rw,fsid=0)  10.0.0.0/24(ro)"), Ok("n1:/srv rw,fsid=0; 10.0.0.0/24:/srv ro".to_owned()));
        assert_eq!(read("*"), Ok("*:/srv -".to_owned()));
        assert_eq!(read("n1()"), Ok("n1:/srv -".to_owned()));
        assert_eq!(read("2001:db8::/32(ro)"), Ok("[2001:db8::/32]:/srv ro".to_owned()));
        assert_eq!(read("@trusted(ro)"), Ok("@trusted:/srv ro".to_owned()));
        for (wrong, reason) in [
            ("", "no client"),
            ("(rw)", "does not begin with a client"),
            ("-u(rw)", "does not begin with a client"),
            ("n1(rw", "does not end with )"),
            ("n1(-u)", "does not contain options"),
            ("n1(rw) n1(ro)", "n1 is given twice"),
        ] {
            assert!(read(wrong).unwrap_err().contains(reason), "{wrong}");
        }
    }

    #[test]
    fn etab_is_read_for_one_directory() {
        let etab = "/srv\\040two\tn1(rw,sync,fsid=0,sec=sys,rw)\n/srv\t10.0.0.0/24(ro,sync)\n/srv\tn1(ro,sync)\n";
        let clients =
            |path: &str| ExportEntry::parse(etab, Path::new(path)).into_iter().map(|e| e.client).collect::<Vec<_>>();
        assert_eq!(clients("/srv two"), ["n1"]);
        assert_eq!(clients("/srv"), ["10.0.0.0/24", "n1"]);
        let wanted = ExportClient { client: "n1".to_owned(), options: Some("rw,fsid=0,insecure".to_owned()) };
        let export = &ExportEntry::parse(etab, Path::new("/srv two"))[0];
        assert_eq!(export.lacks(&wanted).as_deref(), Some("exported to n1 without insecure"));
    }
}
