//! What an auditor announces and enters in a transparency log: the schedule, a commitment to each epoch before its
//! beacon round, and the outcome of each audit after it (spec schedule).

use crate::bundle::NoAnswer;
use crate::codec::{Canonical, CodecError, Decoder, Encoder, MapReader};
use crate::ids::{
    AuditorKey, BundleDigest, ClassId, HostKey, InventoryDigest, Nonce, NonceHash, ScheduleDigest, VkDigest,
};
use crate::labels::Label;
use crate::limits::{LOG_ENTRY_BYTES_MAX, SCHEDULE_HOSTS_MAX};
use crate::signing::{Signed, SignedMessage};

/// Version of the messages here.
pub const SCHEDULE_VERSION: u64 = 1;

/// The hash of a nonce, fixed before the nonce is used.
#[must_use]
pub fn hash_of_nonce(nonce: &Nonce) -> NonceHash {
    NonceHash(Label::NonceHash.hash(nonce.as_bytes()))
}

/// A host of a schedule and how it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScheduledHost {
    /// Who must answer.
    pub host: HostKey,
    /// Statement parameters.
    pub class: ClassId,
    /// Key its proofs must verify under.
    pub vk: VkDigest,
}

/// Which hosts are audited, and on which beacon rounds: all that decides when a challenge is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Whose.
    pub auditor: AuditorKey,
    /// Hash of the beacon chain the rounds belong to.
    pub chain: [u8; 32],
    /// First epoch, at least 1.
    pub first_epoch: u64,
    /// Epochs, at least 1.
    pub epochs: u64,
    /// Beacon round of the first epoch, at least 1.
    pub first_round: u64,
    /// Rounds from one epoch to the next, at least 1.
    pub rounds_per_epoch: u64,
    /// How long after the round an answer may be logged, milliseconds, at least 1.
    pub answer_ms: u64,
    /// Hosts, strictly ascending by key, at least one.
    pub hosts: Vec<ScheduledHost>,
}

/// A schedule as it travels.
pub type SignedSchedule = Signed<Schedule>;

impl SignedMessage for Schedule {
    const LABEL: Label = Label::ScheduleSignature;
}

impl Schedule {
    /// Digest that commitments and outcomes name it by.
    #[must_use]
    pub fn digest(&self) -> ScheduleDigest {
        ScheduleDigest(Label::ScheduleDigest.hash(&self.to_bytes()))
    }

    /// f: the beacon round of an epoch; `None` outside the schedule.
    #[must_use]
    pub fn round_of(&self, epoch: u64) -> Option<u64> {
        let since = epoch.checked_sub(self.first_epoch)?;
        if since >= self.epochs {
            return None;
        }
        since.checked_mul(self.rounds_per_epoch)?.checked_add(self.first_round)
    }

    /// The last epoch.
    #[must_use]
    pub const fn last_epoch(&self) -> u64 {
        // Decoding bounds it.
        self.first_epoch + (self.epochs - 1)
    }

    /// How a host is asked; `None` when it is not of this schedule.
    #[must_use]
    pub fn host(&self, host: &HostKey) -> Option<&ScheduledHost> {
        self.hosts.binary_search_by(|h| h.host.cmp(host)).ok().map(|i| &self.hosts[i])
    }

    fn check(&self) -> Result<(), CodecError> {
        let last = self.first_epoch.checked_add(self.epochs.wrapping_sub(1));
        let counts = [self.first_epoch, self.epochs, self.first_round, self.rounds_per_epoch, self.answer_ms];
        let last_round = last.and_then(|last| self.round_of(last));
        if counts.contains(&0) || last_round.is_none() {
            return Err(CodecError::Invalid("schedule epochs or rounds"));
        }
        if self.hosts.is_empty() || self.hosts.windows(2).any(|w| w[0].host >= w[1].host) {
            return Err(CodecError::Invalid("schedule hosts: empty, unsorted or repeated"));
        }
        Ok(())
    }
}

impl Canonical for Schedule {
    const WHAT: &'static str = "schedule";
    const BYTES_MAX: usize = LOG_ENTRY_BYTES_MAX;

    fn encode(&self, e: &mut Encoder) {
        e.map(9);
        e.u64(0);
        e.u64(SCHEDULE_VERSION);
        e.u64(1);
        self.auditor.encode(e);
        e.u64(2);
        e.bytes(&self.chain);
        for (key, value) in (3..).zip([
            self.first_epoch,
            self.epochs,
            self.first_round,
            self.rounds_per_epoch,
            self.answer_ms,
        ]) {
            e.u64(key);
            e.u64(value);
        }
        e.u64(8);
        e.array(self.hosts.len() as u64);
        for h in &self.hosts {
            e.array(4);
            h.host.encode(e);
            e.u64(u64::from(h.class.samples));
            e.u64(u64::from(h.class.depth));
            h.vk.encode(e);
        }
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let mut m = d.map("schedule")?;
        m.required(d, 0)?;
        version(d, "schedule")?;
        m.required(d, 1)?;
        let auditor = AuditorKey::decode(d)?;
        m.required(d, 2)?;
        let chain = d.array()?;
        let mut counts = [0; 5];
        for (key, count) in (3..).zip(&mut counts) {
            m.required(d, key)?;
            *count = d.u64()?;
        }
        let [first_epoch, epochs, first_round, rounds_per_epoch, answer_ms] = counts;
        m.required(d, 8)?;
        let n = d.list("schedule hosts", SCHEDULE_HOSTS_MAX)?;
        let hosts = (0..n).map(|_| decode_host(d)).collect::<Result<_, _>>()?;
        m.end(d)?;
        let schedule =
            Self { auditor, chain, first_epoch, epochs, first_round, rounds_per_epoch, answer_ms, hosts };
        schedule.check()?;
        Ok(schedule)
    }
}

fn version(d: &mut Decoder<'_>, what: &'static str) -> Result<(), CodecError> {
    match d.u64()? {
        SCHEDULE_VERSION => Ok(()),
        found => Err(CodecError::UnknownVersion { what, found }),
    }
}

/// What commitments and outcomes begin with: version, whose they are, of which schedule and epoch.
fn beginning(
    d: &mut Decoder<'_>,
    what: &'static str,
) -> Result<(MapReader, AuditorKey, ScheduleDigest, u64), CodecError> {
    let mut m = d.map(what)?;
    m.required(d, 0)?;
    version(d, what)?;
    m.required(d, 1)?;
    let auditor = AuditorKey::decode(d)?;
    m.required(d, 2)?;
    let schedule = ScheduleDigest::decode(d)?;
    m.required(d, 3)?;
    Ok((m, auditor, schedule, d.u64()?))
}

fn decode_host(d: &mut Decoder<'_>) -> Result<ScheduledHost, CodecError> {
    d.tuple(4)?;
    let host = HostKey::decode(d)?;
    let class = ClassId { samples: d.uint("class samples")?, depth: d.uint("class depth")? };
    if class.samples == 0 || class.samples > 1024 || !(3..=8).contains(&class.depth) {
        return Err(CodecError::Invalid("class"));
    }
    Ok(ScheduledHost { host, class, vk: VkDigest::decode(d)? })
}

/// What a host gave when asked for its inventory of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// A signed inventory, by digest.
    Inventory(InventoryDigest),
    /// None, after it was asked again; on the auditor's word.
    Nothing(NoAnswer),
}

/// Fixed before the round of an epoch is published: hash of the nonce, and every host's inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochCommitment {
    /// Whose.
    pub auditor: AuditorKey,
    /// The schedule.
    pub schedule: ScheduleDigest,
    /// The epoch.
    pub epoch: u64,
    /// Hash of the nonce all challenges of this epoch use.
    pub nonce: NonceHash,
    /// Every host of the schedule, in its order.
    pub hosts: Vec<(HostKey, Offered)>,
}

/// A commitment as it travels.
pub type SignedEpochCommitment = Signed<EpochCommitment>;

impl SignedMessage for EpochCommitment {
    const LABEL: Label = Label::EpochSignature;
}

impl Canonical for EpochCommitment {
    const WHAT: &'static str = "epoch commitment";
    const BYTES_MAX: usize = LOG_ENTRY_BYTES_MAX;

    fn encode(&self, e: &mut Encoder) {
        e.map(6);
        e.u64(0);
        e.u64(SCHEDULE_VERSION);
        e.u64(1);
        self.auditor.encode(e);
        e.u64(2);
        self.schedule.encode(e);
        e.u64(3);
        e.u64(self.epoch);
        e.u64(4);
        self.nonce.encode(e);
        e.u64(5);
        e.array(self.hosts.len() as u64);
        for (host, offered) in &self.hosts {
            e.array(3);
            host.encode(e);
            match offered {
                Offered::Inventory(digest) => {
                    e.u64(0);
                    digest.encode(e);
                }
                Offered::Nothing(why) => {
                    e.u64(1);
                    e.u64(why.code());
                }
            }
        }
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let (mut m, auditor, schedule, epoch) = beginning(d, Self::WHAT)?;
        m.required(d, 4)?;
        let nonce = NonceHash::decode(d)?;
        m.required(d, 5)?;
        let n = d.list("epoch hosts", SCHEDULE_HOSTS_MAX)?;
        let hosts: Vec<_> = (0..n).map(|_| decode_offered(d)).collect::<Result<_, _>>()?;
        if hosts.is_empty() || hosts.windows(2).any(|w| w[0].0 >= w[1].0) {
            return Err(CodecError::Invalid("epoch hosts: empty, unsorted or repeated"));
        }
        m.end(d)?;
        Ok(Self { auditor, schedule, epoch, nonce, hosts })
    }
}

fn decode_offered(d: &mut Decoder<'_>) -> Result<(HostKey, Offered), CodecError> {
    d.tuple(3)?;
    let host = HostKey::decode(d)?;
    let offered = match d.u64()? {
        0 => Offered::Inventory(InventoryDigest::decode(d)?),
        1 => Offered::Nothing(NoAnswer::from_code(d.u64()?)?),
        _ => return Err(CodecError::Invalid("epoch host")),
    };
    Ok((host, offered))
}

/// What became of one audit: names the bundle, which says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Whose.
    pub auditor: AuditorKey,
    /// The schedule.
    pub schedule: ScheduleDigest,
    /// The epoch.
    pub epoch: u64,
    /// The host.
    pub host: HostKey,
    /// The evidence, by digest.
    pub bundle: BundleDigest,
}

/// An outcome as it travels.
pub type SignedOutcome = Signed<Outcome>;

impl SignedMessage for Outcome {
    const LABEL: Label = Label::OutcomeSignature;
}

impl Canonical for Outcome {
    const WHAT: &'static str = "outcome";
    const BYTES_MAX: usize = 512;

    fn encode(&self, e: &mut Encoder) {
        e.map(6);
        e.u64(0);
        e.u64(SCHEDULE_VERSION);
        e.u64(1);
        self.auditor.encode(e);
        e.u64(2);
        self.schedule.encode(e);
        e.u64(3);
        e.u64(self.epoch);
        e.u64(4);
        self.host.encode(e);
        e.u64(5);
        self.bundle.encode(e);
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let (mut m, auditor, schedule, epoch) = beginning(d, Self::WHAT)?;
        m.required(d, 4)?;
        let host = HostKey::decode(d)?;
        m.required(d, 5)?;
        let bundle = BundleDigest::decode(d)?;
        m.end(d)?;
        Ok(Self { auditor, schedule, epoch, host, bundle })
    }
}

/// What this project enters in a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogEntry {
    /// A schedule, announced.
    Schedule(SignedSchedule),
    /// A commitment to an epoch, before its round.
    Epoch(SignedEpochCommitment),
    /// The outcome of an audit.
    Outcome(SignedOutcome),
}

impl Canonical for LogEntry {
    const WHAT: &'static str = "log entry";
    const BYTES_MAX: usize = LOG_ENTRY_BYTES_MAX;

    fn encode(&self, e: &mut Encoder) {
        e.array(2);
        match self {
            Self::Schedule(s) => {
                e.u64(1);
                s.encode(e);
            }
            Self::Epoch(s) => {
                e.u64(2);
                s.encode(e);
            }
            Self::Outcome(s) => {
                e.u64(3);
                s.encode(e);
            }
        }
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        d.tuple(2)?;
        Ok(match d.u64()? {
            1 => Self::Schedule(SignedSchedule::decode(d)?),
            2 => Self::Epoch(SignedEpochCommitment::decode(d)?),
            3 => Self::Outcome(SignedOutcome::decode(d)?),
            _ => return Err(CodecError::Invalid("kind of log entry")),
        })
    }
}
