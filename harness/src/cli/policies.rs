//! The policies that a command line names.

use cma_policies::{Catalog, Spec, SpecError};

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
    for list in texts {
        let mut from = 0;
        for text in split(list) {
            let names = catalog.entries().iter().map(|entry| entry.name);
            let names = if text == ALL { names.collect() } else { vec![text] };
            for name in names {
                // Its place is that in the list.
                let of_list = |error: SpecError| SpecError {
                    text: list.clone(),
                    at: from + error.at,
                    ..error
                };
                specs.push(catalog.parse(name).map_err(of_list)?);
            }
            from += text.len() + 1;
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
        let place = |text| match of(&[text]).unwrap_err() {
            Failure::Because(why) => why.split(':').next().unwrap_or_default().to_string(),
            other => panic!("{other:?}"),
        };
        assert_eq!(place("kernel,"), "read \"kernel,\" at character 8");
        assert_eq!(place("kernel,order=8"), "read \"kernel,order=8\" at character 1");
        assert_eq!(place("kernel,bst"), "read \"kernel,bst\" at character 8");
    }
}
