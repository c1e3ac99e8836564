//! The calls and assertions of the optional traits: `Task`, `Sync`, `Console`, `Migrate` and `Fence`.

use super::Case;
use super::answer::LastAnswer;
use crate::{Attachment, Console, Fence, FenceReport, Migrate, Sync, TargetReport, Task};

impl<D: Task> Case<D> {
    /// Calls `run`.
    #[track_caller]
    pub fn run(mut self) -> Case<D> {
        // Not `act`, which checks the claim that nothing changed: the report of a run makes none.
        self.last =
            LastAnswer::Run(self.host.run((Some(D::GRANTS), &self.context), None, || self.driver.run(&self.context)));
        self
    }

    /// Asserts the exit status of the run.
    #[track_caller]
    pub fn exits_with(self, status: i32) -> Case<D> {
        match &self.last {
            LastAnswer::Run(Ok(report)) => assert_eq!(report.exit_status, status, "{report:?}"),
            other => other.unexpected("an answer of run"),
        }
        self
    }
}

impl<D: Sync> Case<D> {
    /// Calls `sync`.
    #[track_caller]
    pub fn sync(mut self, verb: &str, targets: &[&str]) -> Case<D> {
        let targets: Vec<String> = targets.iter().map(|target| (*target).to_owned()).collect();
        self.last = LastAnswer::Sync(
            self.host
                .run((Some(D::GRANTS), &self.context), None, || self.driver.sync_all(&self.context, verb, &targets)),
        );
        self
    }

    /// Asserts the reports of the targets.
    #[track_caller]
    pub fn reports(self, expected: &[TargetReport]) -> Case<D> {
        match &self.last {
            LastAnswer::Sync(Ok(reports)) => assert_eq!(reports, expected),
            other => other.unexpected("an answer of sync"),
        }
        self
    }
}

impl<D: Console> Case<D> {
    /// Calls `enter`.
    #[track_caller]
    pub fn enter(mut self) -> Case<D> {
        // Unlike logs, enter may change something: a container engine must create the process before it is attached.
        self.last = LastAnswer::Console(
            self.host.run((Some(D::GRANTS), &self.context), None, || self.driver.enter(&self.context)),
        );
        self
    }

    /// Calls `exec`.
    #[track_caller]
    pub fn exec(mut self, argv: &[&str]) -> Case<D> {
        let argv: Vec<String> = argv.iter().map(|word| (*word).to_owned()).collect();
        self.last = LastAnswer::Console(
            self.host.run((Some(D::GRANTS), &self.context), None, || self.driver.exec(&self.context, &argv)),
        );
        self
    }

    /// Calls `logs`. It panics if that changes anything.
    #[track_caller]
    pub fn logs(mut self, follow: bool) -> Case<D> {
        self.last = LastAnswer::Console(
            self.host.run((Some(D::GRANTS), &self.context), Some("logs"), || self.driver.logs(&self.context, follow)),
        );
        self
    }

    /// Asserts the attachment that the terminal would be connected to.
    #[track_caller]
    pub fn attaches(self, expected: &Attachment) -> Case<D> {
        match &self.last {
            LastAnswer::Console(Ok(attachment)) => assert_eq!(attachment, expected),
            other => other.unexpected("an attachment"),
        }
        self
    }
}

impl<D: Migrate> Case<D> {
    /// Calls `migrate`.
    #[track_caller]
    pub fn migrate(self, to: &str) -> Case<D> {
        self.act("migrate", |driver, context| driver.migrate(context, to))
    }
}

impl<D: Fence> Case<D> {
    /// Calls `fence`.
    #[track_caller]
    pub fn fence(mut self, node: &str) -> Case<D> {
        self.last = LastAnswer::Fence(
            self.host.run((Some(D::GRANTS), &self.context), None, || self.driver.fence(&self.context, node)),
        );
        self
    }

    /// Calls `test`.
    #[track_caller]
    pub fn test(mut self, node: &str) -> Case<D> {
        self.last = LastAnswer::Fence(
            self.host.run((Some(D::GRANTS), &self.context), None, || self.driver.test(&self.context, node)),
        );
        self
    }

    /// Asserts what is known of the node.
    #[track_caller]
    pub fn knows(self, expected: &FenceReport) -> Case<D> {
        match &self.last {
            LastAnswer::Fence(Ok(report)) => assert_eq!(report, expected),
            other => other.unexpected("an answer of fence or test"),
        }
        self
    }
}
