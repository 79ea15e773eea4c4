//! The demonstration's record: each step with its time, each check with what had to come out and what did.

use std::time::Instant;

use crate::output::printable;

/// One thing that was tried, and whether it came out as it must.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Check {
    /// `step` for the honest run, `twin` or `attack` in a negative control.
    pub(crate) role: &'static str,
    /// What was tried and what must come out.
    pub(crate) what: String,
    /// What came out.
    pub(crate) came_out: String,
    /// Whether that is what must come out.
    pub(crate) as_it_must: bool,
}

/// A step or a control.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Step {
    /// Stable name.
    pub(crate) id: &'static str,
    /// One line for people.
    pub(crate) title: String,
    /// Milliseconds.
    pub(crate) elapsed_ms: u128,
    /// The exact command, where the step is one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) commands: Vec<String>,
    /// What was tried.
    pub(crate) checks: Vec<Check>,
}

/// Collects steps and tells them on the terminal as they end.
#[derive(Debug)]
pub(crate) struct Story {
    quiet: bool,
    begun: Instant,
    step_begun: Instant,
    steps: Vec<Step>,
}

impl Story {
    /// `quiet` when the record is printed as JSON at the end instead.
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet, begun: Instant::now(), step_begun: Instant::now(), steps: Vec::new() }
    }

    /// A line of narration.
    pub(crate) fn say(&self, line: &str) {
        if !self.quiet {
            // Narration is for people; a closed pipe must not end the demonstration.
            let _ = crate::output::say(line);
        }
    }

    /// Begins a step; the one before is ended.
    pub(crate) fn begin(&mut self, id: &'static str, title: impl Into<String>) {
        self.end();
        self.step_begun = Instant::now();
        let title = title.into();
        self.say(&format!("\n[{:5.1} s] {title}", self.begun.elapsed().as_secs_f64()));
        self.steps.push(Step { id, title, elapsed_ms: 0, commands: Vec::new(), checks: Vec::new() });
    }

    /// Ends the present step.
    pub(crate) fn end(&mut self) {
        let elapsed = self.step_begun.elapsed().as_millis();
        if let Some(step) = self.steps.last_mut().filter(|s| s.elapsed_ms == 0) {
            step.elapsed_ms = elapsed.max(1);
        }
    }

    /// Notes the command a step ran.
    pub(crate) fn command(&mut self, text: String) {
        let text = printable(&text);
        self.say(&format!("          $ {text}"));
        if let Some(step) = self.steps.last_mut() {
            step.commands.push(text);
        }
    }

    /// Records a check of the honest run.
    pub(crate) fn check(&mut self, what: impl Into<String>, came_out: impl Into<String>, as_it_must: bool) {
        self.record("step", what.into(), came_out.into(), as_it_must);
    }

    /// Records the honest half of a control.
    pub(crate) fn twin(&mut self, what: impl Into<String>, came_out: impl Into<String>, as_it_must: bool) {
        self.record("twin", what.into(), came_out.into(), as_it_must);
    }

    /// Records the dishonest half of a control.
    pub(crate) fn attack(&mut self, what: impl Into<String>, came_out: impl Into<String>, as_it_must: bool) {
        self.record("attack", what.into(), came_out.into(), as_it_must);
    }

    fn record(&mut self, role: &'static str, what: String, came_out: String, as_it_must: bool) {
        let (what, came_out) = (printable(&what), printable(&came_out));
        let mark = if as_it_must { "ok  " } else { "FAIL" };
        let label = if role == "step" { String::new() } else { format!("{role:<7}") };
        self.say(&format!("          {mark} {label}{what}: {came_out}"));
        if let Some(step) = self.steps.last_mut() {
            step.checks.push(Check { role, what, came_out, as_it_must });
        }
    }

    /// Whether every check came out as it must, and there was at least one in every step.
    pub(crate) fn is_as_it_must_be(&self) -> bool {
        !self.steps.is_empty()
            && self.steps.iter().all(|s| !s.checks.is_empty() && s.checks.iter().all(|c| c.as_it_must))
    }

    /// The steps so far.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Seconds since the beginning.
    pub(crate) fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::Story;

    #[test]
    fn a_step_without_a_check_or_with_a_failed_one_is_not_a_success() {
        let mut story = Story::new(true);
        assert!(!story.is_as_it_must_be(), "an empty story shows nothing");
        story.begin("a", "a");
        assert!(!story.is_as_it_must_be());
        story.check("x", "y", true);
        assert!(story.is_as_it_must_be());
        story.attack("x", "y", false);
        assert!(!story.is_as_it_must_be());
    }
}
