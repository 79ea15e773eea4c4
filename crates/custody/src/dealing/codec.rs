//! Canonical CBOR of a dealing (spec custody, clause K8).

use std::collections::BTreeSet;

use bailiwick_protocol::codec::{Canonical, CodecError, Decoder, Encoder};
use bailiwick_protocol::ids::{ObjectId, OwnerKey, RosterDigest};
use bailiwick_protocol::limits::CUSTODY_DEALING_BYTES_MAX;
use bailiwick_protocol::text::is_one_line;

use super::{
    ATTRIBUTES_MAX, CUSTODIANS_MAX, Context, Custodian, DEALING_VERSION, Dealing, HybridShare, TEXT_BYTES_MAX,
};
use crate::key::CustodianKey;
use crate::point::{Element, PointError};

/// Bytes of an X-Wing encapsulated key.
const ENC_BYTES: usize = 1120;

impl Canonical for Dealing {
    const WHAT: &'static str = "custody dealing";
    const BYTES_MAX: usize = CUSTODY_DEALING_BYTES_MAX;

    fn encode(&self, e: &mut Encoder) {
        let c = &self.context;
        e.map(11 + u64::from(c.policy.is_some()) + u64::from(self.is_hybrid()));
        e.u64(0);
        e.u64(DEALING_VERSION);
        e.u64(1);
        e.bytes(c.owner.as_bytes());
        e.u64(2);
        e.bytes(c.object.as_bytes());
        e.u64(3);
        e.bytes(&c.key_commitment);
        if let Some(policy) = &c.policy {
            e.u64(4);
            e.bytes(policy);
        }
        e.u64(5);
        e.bytes(c.roster.as_bytes());
        e.u64(6);
        e.u64(c.generation);
        e.u64(7);
        e.u64(u64::from(self.threshold));
        e.u64(8);
        e.array(self.custodians.len() as u64);
        for custodian in &self.custodians {
            encode_custodian(custodian, e);
        }
        e.u64(9);
        e.bytes(&self.ephemeral.bytes);
        e.u64(10);
        e.array(self.shares.len() as u64);
        for share in &self.shares {
            e.bytes(&share.bytes);
        }
        e.u64(11);
        e.bytes(&self.proof);
        if self.is_hybrid() {
            e.u64(12);
            e.array(self.hybrid.len() as u64);
            for share in &self.hybrid {
                encode_hybrid(share, e);
            }
        }
    }

    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let mut m = d.map("custody dealing")?;
        m.required(d, 0)?;
        let version = d.u64()?;
        if version != DEALING_VERSION {
            return Err(CodecError::UnknownVersion { what: "custody dealing", found: version });
        }
        m.required(d, 1)?;
        let owner = OwnerKey(d.array()?);
        m.required(d, 2)?;
        let object = ObjectId(d.array()?);
        m.required(d, 3)?;
        let key_commitment = d.array()?;
        let policy = if m.optional(d, 4)? { Some(d.array()?) } else { None };
        m.required(d, 5)?;
        let roster = RosterDigest(d.array()?);
        m.required(d, 6)?;
        let generation = d.u64()?;
        if generation == 0 {
            return Err(CodecError::Invalid("custody dealing: generation 0"));
        }
        m.required(d, 7)?;
        let threshold: u16 = d.uint("custody threshold")?;
        m.required(d, 8)?;
        let n = d.list("custodians", CUSTODIANS_MAX)?;
        let custodians = (0..n).map(|_| decode_custodian(d)).collect::<Result<Vec<_>, _>>()?;
        m.required(d, 9)?;
        let ephemeral = element(d, "custody dealing: D")?;
        m.required(d, 10)?;
        if d.list("encrypted shares", CUSTODIANS_MAX)? != n {
            return Err(CodecError::Invalid("encrypted shares: one for each custodian"));
        }
        let shares = (0..n).map(|_| element(d, "encrypted share")).collect::<Result<Vec<_>, _>>()?;
        m.required(d, 11)?;
        let proof = d.array()?;
        let mut hybrid = Vec::new();
        if m.optional(d, 12)? {
            if d.list("hybrid shares", CUSTODIANS_MAX)? != n {
                return Err(CodecError::Invalid("hybrid shares: one for each custodian"));
            }
            hybrid = (0..n).map(|_| decode_hybrid(d)).collect::<Result<Vec<_>, _>>()?;
        }
        m.end(d)?;
        let context = Context { owner, object, key_commitment, policy, roster, generation };
        Ok(Self { context, threshold, custodians, ephemeral, shares, proof, hybrid })
    }
}

fn encode_custodian(c: &Custodian, e: &mut Encoder) {
    e.map(6);
    e.u64(0);
    e.text(&c.name);
    e.u64(1);
    e.bytes(&c.key.element.bytes);
    e.u64(2);
    e.bytes(&c.key.receipt);
    e.u64(3);
    e.bytes(&c.key.kem_digest);
    e.u64(4);
    e.bytes(&c.key.possession);
    e.u64(5);
    e.array(c.attributes.len() as u64);
    for attribute in &c.attributes {
        e.text(attribute);
    }
}

fn decode_custodian(d: &mut Decoder<'_>) -> Result<Custodian, CodecError> {
    let mut m = d.map("custodian")?;
    m.required(d, 0)?;
    let name = text(d, "custodian: name")?;
    m.required(d, 1)?;
    let point: [u8; 32] = d.array()?;
    m.required(d, 2)?;
    let receipt = d.array()?;
    m.required(d, 3)?;
    let kem_digest = d.array()?;
    m.required(d, 4)?;
    let possession = d.array()?;
    let key = CustodianKey::decode(&point, receipt, kem_digest, possession).map_err(|e| match e {
        PointError::Identity => CodecError::Invalid("custodian: key is the identity"),
        PointError::NotCanonical => CodecError::Invalid("custodian: key is no canonical point"),
    })?;
    m.required(d, 5)?;
    let n = d.list("custodian: attributes", ATTRIBUTES_MAX)?;
    let mut attributes = BTreeSet::new();
    for _ in 0..n {
        // The set sorts: another order is not the canonical encoding, and is refused as that.
        if !attributes.insert(text(d, "custodian: attribute")?) {
            return Err(CodecError::Invalid("custodian: attribute given twice"));
        }
    }
    m.end(d)?;
    Ok(Custodian { name, key, attributes })
}

fn text(d: &mut Decoder<'_>, what: &'static str) -> Result<String, CodecError> {
    let text = d.text(what, TEXT_BYTES_MAX)?;
    // Programs show it in lines of their own: a line break in it would begin another.
    if is_one_line(text) { Ok(text.to_owned()) } else { Err(CodecError::Invalid(what)) }
}

fn element(d: &mut Decoder<'_>, what: &'static str) -> Result<Element, CodecError> {
    Element::decode(&d.array()?).map_err(|e| match (what, e) {
        ("encrypted share", PointError::Identity) => CodecError::Invalid("encrypted share: the identity"),
        ("encrypted share", PointError::NotCanonical) => {
            CodecError::Invalid("encrypted share: no canonical point")
        }
        (_, PointError::Identity) => CodecError::Invalid("custody dealing: D is the identity"),
        (_, PointError::NotCanonical) => CodecError::Invalid("custody dealing: D is no canonical point"),
    })
}

fn encode_hybrid(share: &HybridShare, e: &mut Encoder) {
    e.map(3);
    e.u64(0);
    e.bytes(&share.commitment);
    e.u64(1);
    e.bytes(&share.enc);
    e.u64(2);
    e.bytes(&share.ciphertext);
}

fn decode_hybrid(d: &mut Decoder<'_>) -> Result<HybridShare, CodecError> {
    let mut m = d.map("hybrid share")?;
    m.required(d, 0)?;
    let commitment = d.array()?;
    m.required(d, 1)?;
    let enc = d.bytes("hybrid share", ENC_BYTES)?.to_vec();
    if enc.len() != ENC_BYTES {
        return Err(CodecError::Invalid("hybrid share: encapsulated key"));
    }
    m.required(d, 2)?;
    let ciphertext = d.array()?;
    m.end(d)?;
    Ok(HybridShare { commitment, enc, ciphertext })
}
