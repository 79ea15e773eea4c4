//! What happens in a campaign, for people and for programs.

use bailiwick_auditor::{EntryId, Record};
use bailiwick_protocol::bundle::{Answer, NoAnswer};
use bailiwick_protocol::ids::HostKey;
use bailiwick_protocol::schedule::Offered;

/// One event, as `--json` prints it, a line each.
#[derive(Debug, Default, serde::Serialize)]
pub(super) struct Event {
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<HostKey>,
    #[serde(skip_serializing_if = "Option::is_none")]
    round: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bundle: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    witnessed: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inventories: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<usize>,
}

impl Event {
    /// The event of a record; none for those nobody asks about.
    pub(super) fn of(record: &Record) -> Option<Self> {
        let at = |event, epoch: &u64| Self { event, epoch: Some(*epoch), ..Self::default() };
        Some(match record {
            Record::Inventory { epoch, host, .. } => Self { host: Some(*host), ..at("inventory", epoch) },
            Record::Committed { epoch, commitment, .. } => {
                let hosts = commitment.decode_unverified().map(|c| c.hosts).unwrap_or_default();
                let given = hosts.iter().filter(|(_, o)| matches!(o, Offered::Inventory(_))).count();
                Self {
                    inventories: Some(given),
                    missing: Some(hosts.len() - given),
                    ..at("committed", epoch)
                }
            }
            Record::Round { epoch, round } => Self { round: Some(round.round), ..at("round", epoch) },
            Record::Asked { epoch, host, .. } => Self { host: Some(*host), ..at("asked", epoch) },
            Record::Answered { epoch, host, answer, .. } => {
                Self { host: Some(*host), answer: Some(word(answer)), ..at("answered", epoch) }
            }
            Record::Second { epoch, host, .. } => Self { host: Some(*host), ..at("second-inventory", epoch) },
            Record::Bundled { epoch, host, bundle, .. } => {
                Self { host: Some(*host), bundle: Some(bundle.to_string()), ..at("bundled", epoch) }
            }
            Record::Sequenced { id, index } => Self { log_index: Some(*index), ..entry("sequenced", *id) },
            Record::Logged { id, witnessed, .. } => {
                Self { witnessed: Some(*witnessed), ..entry("logged", *id) }
            }
            Record::Missed { epoch } => at("missed", epoch),
            _ => return None,
        })
    }

    /// A line for people; none for steps that only matter to programs.
    pub(super) fn line(&self) -> Option<String> {
        let epoch = self.epoch.map_or_else(|| "schedule".to_owned(), |e| format!("epoch {e}"));
        let host = self.host.map_or_else(String::new, |h| format!(" host {}", &h.to_string()[..16]));
        let what = match self.event {
            "committed" => format!(
                "committed to {} inventories, {} missing",
                self.inventories.unwrap_or(0),
                self.missing.unwrap_or(0)
            ),
            "round" => format!("beacon round {}", self.round.unwrap_or(0)),
            "answered" => self.answer.unwrap_or("answered").to_owned(),
            "second-inventory" => "signed a second inventory of this epoch".to_owned(),
            "missed" => "missed: no commitment was made before its round".to_owned(),
            "logged" if self.witnessed == Some(false) => "in the log, with too few witnesses".to_owned(),
            "logged" => "in the log, witnessed".to_owned(),
            _ => return None,
        };
        Some(format!("{epoch}{host}: {what}"))
    }
}

fn entry(event: &'static str, id: EntryId) -> Event {
    let (epoch, host) = match id {
        EntryId::Schedule => (None, None),
        EntryId::Epoch(epoch) => (Some(epoch), None),
        EntryId::Outcome(epoch, host) => (Some(epoch), Some(host)),
    };
    Event { event, epoch, host, ..Event::default() }
}

fn word(answer: &Answer) -> &'static str {
    match answer {
        Answer::Response(r) => match r.decode_unverified().map(|r| r.outcome) {
            Ok(Ok(_)) => "proof",
            _ => "cannot-prove",
        },
        Answer::None(NoAnswer::TimedOut) => "timed-out",
        Answer::None(NoAnswer::Unreachable) => "unreachable",
        Answer::None(_) => "refused",
    }
}
