//! SARIF 2.1.0 (OASIS): what code hosts show beside the lines of a change.

use serde_json::{Value, json};

use crate::lint::{Finding, Place, RULES, Report, Rule, Severity};
use crate::program::named;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The words of `level` are the severities' own.
const fn level(severity: Severity) -> &'static str {
    severity.name()
}

/// One run of this tool: every rule, and a result for each finding.
pub fn sarif(report: &Report) -> Value {
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "cmalab",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": RULES.iter().map(|rule| self::rule(rule)).collect::<Vec<_>>(),
            } },
            "results": report.findings.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn rule(rule: &Rule) -> Value {
    let full = format!("{} ({}; releases: {})", rule.about, rule.source, rule.releases);
    json!({
        "id": rule.name,
        "shortDescription": { "text": rule.about },
        "fullDescription": { "text": full },
        "help": { "text": named(rule.remedy) },
        "defaultConfiguration": { "level": level(rule.severity) },
    })
}

fn result(finding: &Finding) -> Value {
    let index = RULES.iter().position(|rule| rule.name == finding.rule.name);
    json!({
        "ruleId": finding.rule.name,
        "ruleIndex": index,
        "level": level(finding.severity),
        "message": { "text": format!("{}. Remedy: {}", finding.message, finding.remedy) },
        "locations": [location(&finding.place)],
    })
}

fn location(place: &Place) -> Value {
    let mut physical = json!({ "artifactLocation": { "uri": uri(&place.file) } });
    if let Some(line) = place.line {
        physical["region"] = json!({ "startLine": line });
    }
    let mut location = json!({ "physicalLocation": physical });
    if let Some(node) = &place.node {
        let property = place.property.iter().map(|property| format!("/{property}"));
        let name = node.clone() + &property.collect::<String>();
        location["logicalLocations"] = json!([{ "fullyQualifiedName": name }]);
    }
    location
}

/// A path as a relative or absolute reference: what may not stand in one is escaped.
fn uri(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte);
    let escaped = |byte: u8| {
        if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    path.bytes().map(escaped).collect()
}
