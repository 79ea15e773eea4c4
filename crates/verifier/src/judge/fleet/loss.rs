//! Who is left to open an object when a power takes whom it reaches (spec verdict, clauses V40 and V41).

use bailiwick_protocol::ids::UnitName;
use bailiwick_roster::Principal;

use super::Fleet;
use super::objects::Version;
use super::sharing::Holders;

/// Who can still open the newest version of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Left {
    /// Nobody: everyone who can is known, and taken.
    Nobody,
    /// Nobody whom this version names, but somebody whom an earlier envelope of the same body names.
    ByEarlierEnvelopes,
    /// Somebody, or nobody can tell.
    Somebody,
}

/// Who is left of those who can open `newest`, the newest version of unit `name`, or the first of several.
pub(super) fn left(
    fleet: &Fleet<'_>,
    name: &UnitName,
    newest: &Version,
    takes: impl Fn(&Principal) -> bool,
) -> Left {
    if !is_lost(fleet, newest, &takes) {
        return Left::Somebody;
    }
    // Their key is the same: whoever kept an earlier envelope opens the body with it.
    let earlier = fleet.objects.of_body(name, &newest.body);
    if earlier.into_iter().all(|v| is_lost(fleet, v, &takes)) {
        Left::Nobody
    } else {
        Left::ByEarlierEnvelopes
    }
}

/// Whether everyone who can open a version is taken; nobody is who is not known, or not in the roster at the moment.
fn is_lost(fleet: &Fleet<'_>, v: &Version, takes: &impl Fn(&Principal) -> bool) -> bool {
    // A passphrase, an anonymous recipient, or custodians of a dealing nobody can read may be left.
    let known = v.anonymous() == 0
        && !v.passphrase
        && v.dealings.unsound().next().is_none()
        && !(v.recipients.is_empty() && v.dealings.is_empty());
    known
        && !has_custodians_left(fleet, v, takes)
        && v.recipients
            .iter()
            .all(|id| fleet.people.of_key_id(id).is_some_and(|p| fleet.people.is_valid(p) && takes(p)))
}

/// Whether enough custodians of any dealing are left. So may be those that the roster does not have, or does not have as custodians now.
pub(super) fn has_custodians_left(
    fleet: &Fleet<'_>,
    v: &Version,
    takes: &impl Fn(&Principal) -> bool,
) -> bool {
    let enough_left = |h: &Holders<'_>| {
        h.unknown + h.known.iter().filter(|p| !fleet.people.is_custodian(p) || !takes(p)).count()
            >= h.threshold
    };
    v.dealings.holders(&fleet.people).iter().any(enough_left)
}
