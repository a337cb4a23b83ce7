//! The policies that a command line names.

use cma_policies::{Catalog, Spec};

use super::failure::Failure;

/// What stands for every policy, as in a plan.
const ALL: &str = "all";

/// The policies that `texts` name, each of which names one or several with commas between. `all` is
/// every one of the catalog.
///
/// # Errors
/// A name or a parameter that there is not.
pub(super) fn policies(texts: &[String], catalog: &Catalog) -> Result<Vec<Spec>, Failure> {
    let mut specs = Vec::new();
    for text in texts.iter().flat_map(|text| split(text)) {
        if text == ALL {
            let each = catalog.entries().iter().map(|entry| catalog.parse(entry.name));
            specs.extend(each.collect::<Result<Vec<_>, _>>()?);
        } else {
            specs.push(catalog.parse(text)?);
        }
    }
    Ok(specs)
}

/// The policies of a list. Their parameters have commas between them too: what has a `=` and no `:`
/// is one of the policy before it.
pub(super) fn split(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut from = 0;
    for (comma, _) in text.match_indices(',') {
        let next = text[comma + 1..].split(',').next().unwrap_or_default();
        if next.contains('=') && !next.contains(':') {
            continue;
        }
        found.push(&text[from..comma]);
        from = comma + 1;
    }
    found.push(&text[from..]);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use cma_policies::builtin;

    #[test]
    fn parameters_stay_with_their_policy() {
        for (text, parts) in [
            ("kernel", vec!["kernel"]),
            ("kernel,best-fit", vec!["kernel", "best-fit"]),
            (
                "kernel,buddy:trim=false,max_order=9,next-fit",
                vec!["kernel", "buddy:trim=false,max_order=9", "next-fit"],
            ),
            ("zoned:share=0.25,order=8", vec!["zoned:share=0.25,order=8"]),
            (
                "zoned:share=0.25,zoned:share=0.5,order=8",
                vec!["zoned:share=0.25", "zoned:share=0.5,order=8"],
            ),
            // What is wrong is the catalog's to say.
            ("kernel,", vec!["kernel", ""]),
            ("buddy,trim=false", vec!["buddy,trim=false"]),
        ] {
            assert_eq!(split(text), parts, "{text}");
        }
    }

    #[test]
    fn a_list_and_several_options_name_the_same_and_all_is_every_one() {
        let catalog = builtin::catalog();
        let of = |texts: &[&str]| {
            let texts: Vec<_> = texts.iter().map(ToString::to_string).collect();
            let specs = policies(&texts, &catalog);
            specs.map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let both = of(&["kernel,buddy:trim=false,max_order=9", "best-fit"]).unwrap();
        assert_eq!(both, of(&["kernel", "buddy:trim=false,max_order=9", "best-fit"]).unwrap());
        assert_eq!(both.len(), 3);
        assert_eq!(of(&["all"]).unwrap().len(), catalog.entries().len());
        assert!(of(&["kernel,"]).is_err() && of(&["kernel,order=8"]).is_err());
    }
}
