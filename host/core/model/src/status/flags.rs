//! The flags column of `print status`: eight letters, `R M D O E P S` and the restarts left.

use std::fmt;

use super::Provisioned;

/// The restarts that the daemon may still try for a resource that went down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemainingRestarts {
    /// Restarts were never wanted.
    None,
    /// That many are left.
    Left(u32),
    /// None, because it was stopped on purpose.
    Stopped,
}

/// The flags of a resource. Displays as the column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResourceFlags {
    /// `R`: an action or a task of it runs right now.
    pub running: bool,
    /// `M`: the service moves when it cannot be kept up.
    pub monitored: bool,
    /// `D`: it is left alone.
    pub disabled: bool,
    /// `O`: it has no weight for availability.
    pub optional: bool,
    /// `E`: it is run by the agent in a container of the service.
    pub encap: bool,
    /// `P` not provisioned, `p` in part, `/` n/a, `?` undef.
    pub provisioned: Provisioned,
    /// `S`: it is up wherever the service may go.
    pub standby: bool,
    /// A digit, `+` for more than nine, `X` where it was stopped on purpose.
    pub restarts_left: RemainingRestarts,
}

impl fmt::Display for ResourceFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flag = |set: bool, letter: char| if set { letter } else { '.' };
        let column: String = [
            flag(self.running, 'R'),
            flag(self.monitored, 'M'),
            flag(self.disabled, 'D'),
            flag(self.optional, 'O'),
            flag(self.encap, 'E'),
            provisioned_letter(self.provisioned),
            flag(self.standby, 'S'),
            restarts_letter(self.restarts_left),
        ]
        .into_iter()
        .collect();
        f.pad(&column)
    }
}

fn provisioned_letter(provisioned: Provisioned) -> char {
    match provisioned {
        Provisioned::True => '.',
        Provisioned::False => 'P',
        Provisioned::Mixed => 'p',
        Provisioned::Na => '/',
        Provisioned::Undef => '?',
    }
}

fn restarts_letter(left: RemainingRestarts) -> char {
    match left {
        RemainingRestarts::None => '.',
        // `from_digit` has no digit for ten and more, and the column is one letter wide.
        RemainingRestarts::Left(count) => char::from_digit(count, 10).unwrap_or('+'),
        RemainingRestarts::Stopped => 'X',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_a_column_of_eight() {
        let plain = ResourceFlags {
            running: false,
            monitored: false,
            disabled: false,
            optional: false,
            encap: false,
            provisioned: Provisioned::True,
            standby: false,
            restarts_left: RemainingRestarts::None,
        };
        let check = |flags: ResourceFlags, column: &str| assert_eq!(flags.to_string(), column);
        check(plain, "........");
        check(ResourceFlags { optional: true, provisioned: Provisioned::Na, ..plain }, "...O./..");
        check(ResourceFlags { running: true, disabled: true, encap: true, standby: true, ..plain }, "R.D.E.S.");
        check(ResourceFlags { monitored: true, restarts_left: RemainingRestarts::Left(0), ..plain }, ".M.....0");
        check(
            ResourceFlags { provisioned: Provisioned::False, restarts_left: RemainingRestarts::Left(9), ..plain },
            ".....P.9",
        );
        check(
            ResourceFlags { provisioned: Provisioned::Mixed, restarts_left: RemainingRestarts::Left(10), ..plain },
            ".....p.+",
        );
        check(
            ResourceFlags { provisioned: Provisioned::Undef, restarts_left: RemainingRestarts::Stopped, ..plain },
            ".....?.X",
        );
    }
}
