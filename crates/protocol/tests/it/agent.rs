//! Lines between the command line and an agent.

use bailiwick_protocol::agent::{
    AGENT_HELLO, AGENT_LINE_MAX, AgentError, Answer, Refusal, UnwrapRequest, check_hello,
};
use bailiwick_protocol::envelope::Kem;
use bailiwick_protocol::secret::Secret;
use proptest::prelude::*;

fn request(kem: Kem) -> UnwrapRequest {
    UnwrapRequest {
        kem,
        public: vec![1; kem.public_bytes()],
        enc: vec![2; kem.enc_bytes()],
        ciphertext: vec![3; 48],
        info: vec![4; 84],
    }
}

#[test]
fn lines_come_back() {
    for kem in Kem::ALL {
        let line = request(kem).to_line();
        assert!(line.len() < AGENT_LINE_MAX && !line.contains('\n'));
        assert_eq!(UnwrapRequest::from_line(&line), Ok(request(kem)));
    }
    for answer in [
        Answer::Key(Secret::init_with(|b| b.fill(0xa5))),
        Answer::Refused(Refusal::Denied, "the button was not pressed".into()),
    ] {
        assert_eq!(Answer::from_line(&answer.to_line()).unwrap(), answer);
    }
    check_hello(AGENT_HELLO).unwrap();
}

/// E22 and E23: other spellings, lengths, versions and words.
#[test]
fn e22_e23_other_lines_are_refused() {
    let good = request(Kem::P256).to_line();
    UnwrapRequest::from_line(&good).unwrap();
    for bad in [
        good.replace("unwrap", "Unwrap"),
        good.replace("0010", "10"),
        good.replace("0010", "0099"),
        good.replacen("02", "0", 1),
        good.replacen("02", "0202", 1),
        good.replacen("03", "", 1),
        format!("{good} 00"),
        format!("{good} "),
        good.replacen(' ', "  ", 1),
        good.rsplit_once(' ').unwrap().0.to_owned(),
        request(Kem::P256).to_line().replace("04", "0A"),
        format!("{good}{}", "04".repeat(200)),
    ] {
        assert!(UnwrapRequest::from_line(&bad).is_err(), "{bad}");
    }
    assert_eq!(UnwrapRequest::from_line(&"a".repeat(AGENT_LINE_MAX)), Err(AgentError::TooLong));
    for bad in [
        "key ".to_owned() + &"a".repeat(62),
        "key ".to_owned() + &"A".repeat(64),
        "key ".to_owned() + &"a".repeat(66),
        "key".to_owned(),
        "error nothing known".to_owned(),
        "error denied".to_owned(),
        "error denied \u{1b}[2J".to_owned(),
        "error denied ".to_owned() + &"a".repeat(201),
        String::new(),
    ] {
        assert!(Answer::from_line(&bad).is_err(), "{bad}");
    }
    for bad in ["", "bailiwick-agent 2", "bailiwick-agent 1 ", "HTTP/1.1 200"] {
        assert_eq!(check_hello(bad), Err(AgentError::Version));
    }
}

#[test]
fn no_answer_prints_its_key() {
    let text = format!("{:?}", Answer::Key(Secret::init_with(|b| b.fill(0xa5))));
    assert!(!text.contains("a5") && !text.contains("165"), "{text}");
}

proptest! {
    #[test]
    fn what_reads_is_the_one_spelling(line in "(unwrap|key|error) [0-9a-f ]{0,300}") {
        if let Ok(request) = UnwrapRequest::from_line(&line) {
            prop_assert_eq!(request.to_line(), line.clone());
        }
        if let Ok(answer) = Answer::from_line(&line) {
            let again = answer.to_line();
            prop_assert_eq!(again.as_str(), line);
        }
    }
}
