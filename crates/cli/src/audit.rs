//! Collecting one audit: draw a challenge, ask it, fetch a few ranges, and sign what came of it.

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, ensure};
use bailiwick_client::{Client, ClientError};
use bailiwick_possession::tree::BLOCK_BYTES;
use bailiwick_protocol::api::JobState;
use bailiwick_protocol::bundle::{Answer, Bundle, NoAnswer, ProbeOutcome, RangeOutcome, SignedBundle};
use bailiwick_protocol::challenge::{Challenge, SignedChallenge, SignedResponse, Target};
use bailiwick_protocol::envelope::{Envelope, SignedEnvelope};
use bailiwick_protocol::ids::{AuditorKey, ClassId, HostKey, Nonce, VkDigest};
use bailiwick_protocol::signing::{Signed, SigningKey};

/// Times the same challenge is asked before no answer counts as one: a crash or a lost packet is forgiven, a refusal is not.
/// "Busy, ask again after so many seconds" is no refusal: it is asked again as long as the deadline lets.
const ASKS_MAX: u32 = 3;

/// Pause before the same challenge is asked again where the host named none.
const REASK: Duration = Duration::from_millis(500);

/// The longest a host may have itself waited for at a time: what it says beyond is not believed, it is asked again anyhow.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(60);

/// Pause between looks at a job.
const POLL: Duration = Duration::from_millis(50);

/// What to audit and how.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Statement parameters.
    pub(crate) class: ClassId,
    /// Key the proof must verify under.
    pub(crate) vk: VkDigest,
    /// Who must answer.
    pub(crate) host: HostKey,
    /// Epoch of the schedule, 0 outside one.
    pub(crate) epoch: u64,
    /// Verified envelopes of the objects sampled together.
    pub(crate) envelopes: Vec<(SignedEnvelope, Envelope)>,
    /// Random blocks to fetch.
    pub(crate) probes: u32,
    /// How long the host may take to answer.
    pub(crate) deadline: Duration,
}

/// Milliseconds since 1970-01-01 UTC.
pub(crate) fn now_unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Random bytes of the operating system.
pub(crate) fn os_random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).context("the operating system gave no randomness")?;
    Ok(bytes)
}

impl Plan {
    /// The challenge of this plan under a fresh nonce. Sorts the envelopes as the challenge lists them.
    ///
    /// Drawn after the plan is fixed, so nothing in the plan can depend on which cells it will sample.
    pub(crate) fn challenge(&mut self, auditor: &SigningKey, nonce: Nonce) -> anyhow::Result<Challenge> {
        self.envelopes.sort_by_key(|(_, e)| e.name());
        let mut targets = Vec::with_capacity(self.envelopes.len());
        for (_, envelope) in &self.envelopes {
            let name = envelope.name();
            let target = Target::of(envelope)
                .with_context(|| format!("{name} has no storage commitment"))
                .context(crate::Help("its owner adds one with `bailiwick commit`"))?;
            if target.cells > self.class.cells_max() {
                return Err(anyhow::anyhow!(
                    "{name} has {} cells, class {} holds {}",
                    target.cells,
                    self.class,
                    self.class.cells_max()
                ))
                .context(crate::Help("choose a deeper class, see `bailiwick circuit ls`"));
            }
            ensure!(targets.last().is_none_or(|t: &Target| t.name < name), "{name} is named twice");
            targets.push(target);
        }
        ensure!(!targets.is_empty(), "an audit needs at least one envelope");
        Ok(Challenge {
            class: self.class,
            vk: self.vk,
            host: self.host,
            targets,
            inventory: None,
            epoch: self.epoch,
            beacon: None,
            auditor: AuditorKey(auditor.public()),
            nonce,
        })
    }
}

/// Runs the audit and signs the bundle. A host that fails to answer gives a bundle, too: a lost answer is a failed answer.
pub(crate) fn collect(
    client: &Client,
    auditor: &SigningKey,
    mut plan: Plan,
    progress: &indicatif::ProgressBar,
) -> anyhow::Result<SignedBundle> {
    let challenge = plan.challenge(auditor, Nonce(os_random()?))?;
    let signed = Signed::new(&challenge, auditor);
    let asked_unix_ms = now_unix_ms();
    let answer = ask(client, &signed, plan.deadline, progress)?;
    let answered_unix_ms = now_unix_ms().max(asked_unix_ms);
    let ranges = probe(client, &plan)?;
    let bundle = Bundle {
        auditor: challenge.auditor,
        challenge: signed,
        envelopes: plan.envelopes.into_iter().map(|(signed, _)| signed).collect(),
        inventory: None,
        answer,
        ranges,
        asked_unix_ms,
        answered_unix_ms,
    };
    Ok(Signed::new(&bundle, auditor))
}

/// Asks one challenge, again after an error and always the same one, until an answer, the deadline, or three refusals. A host
/// that is full and says when to come again is asked again then, and at the deadline a last time.
fn ask(
    client: &Client,
    challenge: &SignedChallenge,
    deadline: Duration,
    progress: &indicatif::ProgressBar,
) -> anyhow::Result<Answer> {
    let begun = Instant::now();
    let (mut refusals, mut said_busy) = (0, false);
    loop {
        let (last, pause) = match ask_once(client, challenge, begun, deadline, progress) {
            Ok(Round::Answered(response)) => return Ok(Answer::Response(response)),
            Ok(Round::DeadlinePassed) => return Ok(Answer::None(NoAnswer::TimedOut)),
            Ok(Round::JobFailed) => (NoAnswer::Refused, None),
            Err(error) => {
                let pause = come_again(&error);
                // One that is busy for an hour says so once.
                let quiet = pause.is_some() && std::mem::replace(&mut said_busy, pause.is_some());
                (no_answer(error, quiet)?, pause)
            }
        };
        if pause.is_none() {
            refusals += 1;
        }
        let left = deadline.saturating_sub(begun.elapsed());
        if refusals == ASKS_MAX || left.is_zero() {
            return Ok(Answer::None(last));
        }
        std::thread::sleep(pause.unwrap_or(REASK).min(left));
    }
}

/// How long a host that cannot take a request now asks to be left alone.
fn come_again(error: &ClientError) -> Option<Duration> {
    match error {
        ClientError::Refused { retry_after: Some(seconds), .. } => {
            Some(Duration::from_secs(*seconds).clamp(REASK, RETRY_AFTER_MAX))
        }
        _ => None,
    }
}

/// How one round of asking ended.
enum Round {
    Answered(SignedResponse),
    JobFailed,
    DeadlinePassed,
}

fn ask_once(
    client: &Client,
    challenge: &SignedChallenge,
    begun: Instant,
    deadline: Duration,
    progress: &indicatif::ProgressBar,
) -> Result<Round, ClientError> {
    let id = client.challenge(challenge)?;
    loop {
        let job = client.job(&id)?;
        // 0..=1000 on a bar of that many steps.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1000")]
        progress.set_position((job.progress.clamp(0.0, 1.0) * 1000.0) as u64);
        match job.state {
            JobState::Done => return client.response(&id).map(|r| checked(r, challenge)),
            JobState::Failed => return Ok(Round::JobFailed),
            _ if begun.elapsed() >= deadline => return Ok(Round::DeadlinePassed),
            _ => std::thread::sleep(POLL),
        }
    }
}

/// Only what this host signed for this challenge is an answer (spec bundle, clause B4): with anything else, whoever
/// holds an old answer could frame the host.
fn checked(response: SignedResponse, challenge: &SignedChallenge) -> Round {
    let Ok(asked) = challenge.decode_unverified() else { return Round::JobFailed };
    match response.verify(asked.host.as_bytes()) {
        Ok(r) if r.challenge == asked.digest() => Round::Answered(response),
        _ => Round::JobFailed,
    }
}

/// Which kind of no answer an error is; mistakes made on this side are errors.
///
/// Every refusal counts, also "not found" and "unauthenticated": otherwise the host would decide whether evidence
/// exists. Whether the auditor may ask is for the two to settle before; the warning, unless `quiet`, says what the host gave as its
/// reason.
fn no_answer(error: ClientError, quiet: bool) -> anyhow::Result<NoAnswer> {
    match error {
        ClientError::Unreachable(_) => Ok(NoAnswer::Unreachable),
        ClientError::TimedOut => Ok(NoAnswer::TimedOut),
        ClientError::Refused { .. }
        | ClientError::Protocol(_)
        | ClientError::BadBytes(_)
        | ClientError::Message(_) => {
            if !quiet {
                let why = error.to_string();
                eprintln!("warning: no answer to the challenge yet: {}", crate::output::printable(&why));
            }
            Ok(NoAnswer::Refused)
        }
        ours => Err(ours.into()),
    }
}

/// Fetches random blocks, drawn over all targets weighted by their blocks, and notes what came.
fn probe(client: &Client, plan: &Plan) -> anyhow::Result<Vec<RangeOutcome>> {
    let blocks: Vec<u64> =
        plan.envelopes.iter().map(|(_, e)| e.body.size.div_ceil(BLOCK_BYTES as u64)).collect();
    let total: u64 = blocks.iter().sum();
    let mut outcomes = Vec::new();
    for _ in 0..plan.probes {
        // Multiply-shift: bias below total/2^64.
        let draw = u128::from(u64::from_le_bytes(os_random()?)) * u128::from(total);
        let mut at = u64::try_from(draw >> 64).expect("below total");
        let target = blocks
            .iter()
            .position(|&n| {
                let here = at < n;
                if !here {
                    at -= n;
                }
                here
            })
            .expect("a position below the total lies in one target");
        let envelope = &plan.envelopes[target].1;
        let offset = at * BLOCK_BYTES as u64;
        let begun = Instant::now();
        let outcome = match client.fetch_verified_block(envelope, at) {
            Ok(_) => ProbeOutcome::Good,
            Err(ClientError::BadBytes(_)) => ProbeOutcome::BadBytes,
            Err(ClientError::TimedOut) => ProbeOutcome::TimedOut,
            Err(ClientError::Unreachable { .. }) => ProbeOutcome::Unreachable,
            Err(_) => ProbeOutcome::Refused,
        };
        outcomes.push(RangeOutcome {
            target: u32::try_from(target).expect("at most 4096 targets"),
            offset,
            length: (envelope.body.size - offset).min(BLOCK_BYTES as u64),
            outcome,
            elapsed_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
    }
    Ok(outcomes)
}
