//! How people write things that several commands take: `2-of-3`, a manager with its labels, `KEY@ADDRESS`.

use symbolon_client::owner::{Administrator, NewMember, Office};
use symbolon_trust::{AccessManager, PublicKey, Shape, Spread};

/// Text that isn't what an argument wants, in words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Misspelled(String);

fn misspelled(words: impl Into<String>) -> Misspelled {
    Misspelled(words.into())
}

/// `2-of-3`
pub fn shape(text: &str) -> Result<Shape, Misspelled> {
    let numbers = text.split_once("-of-").and_then(|(t, n)| Some((t.parse().ok()?, n.parse().ok()?)));
    let (t, n) = numbers.ok_or_else(|| misspelled("write it as 2-of-3"))?;
    if (1..=n).contains(&t) {
        Ok(Shape { t, n })
    } else {
        Err(misspelled("at least 1, and no more are needed than there are"))
    }
}

/// `root`, `policy`, `deny`
pub fn office(text: &str) -> Result<Office, Misspelled> {
    let found = Office::ALL.into_iter().find(|office| office.name() == text);
    found.ok_or_else(|| misspelled("one of root, policy, deny"))
}

/// `none`, `operator`, `cloud`, `region`
pub fn spread(text: &str) -> Result<Spread, Misspelled> {
    match text {
        "none" => Ok(Spread::None),
        "operator" => Ok(Spread::Operator),
        "cloud" => Ok(Spread::Cloud),
        "region" => Ok(Spread::Region),
        _ => Err(misspelled("one of none, operator, cloud, region")),
    }
}

/// The word for a spread rule.
pub const fn spread_word(spread: Spread) -> &'static str {
    match spread {
        Spread::None => "none",
        Spread::Operator => "operator",
        Spread::Cloud => "cloud",
        Spread::Region => "region",
    }
}

/// `sympub1…@host:port`
pub fn access_manager(text: &str) -> Result<AccessManager, Misspelled> {
    let (key, address) = located(text)?;
    Ok(AccessManager { key, address })
}

/// `NAME=sympub1…@host:port,operator=…,cloud=…,region=…`; the labels may be left out.
pub fn manager(text: &str) -> Result<NewMember, Misspelled> {
    let mut parts = text.split(',');
    let (name, place) = parts
        .next()
        .and_then(|part| part.split_once('='))
        .ok_or_else(|| misspelled("write it as NAME=sympub1…@HOST:PORT,operator=…,cloud=…,region=…"))?;
    let (key, address) = located(place)?;
    let (operator, cloud, region) = (String::new(), String::new(), String::new());
    let mut member = NewMember { name: name.to_owned(), key, address, operator, cloud, region };
    for label in parts {
        let place = match label.split_once('=') {
            Some(("operator", value)) => (&mut member.operator, value),
            Some(("cloud", value)) => (&mut member.cloud, value),
            Some(("region", value)) => (&mut member.region, value),
            _ => return Err(misspelled(format!("`{label}`: a label is operator=…, cloud=… or region=…"))),
        };
        place.1.clone_into(place.0);
    }
    Ok(member)
}

/// `root=sympub1…,policy=sympub1…,deny=sympub1…`
pub fn administrator(text: &str) -> Result<Administrator, Misspelled> {
    let mut keys = [None; 3];
    for part in text.split(',') {
        let (place, key) = match part.split_once('=') {
            Some(("root", key)) => (0, key),
            Some(("policy", key)) => (1, key),
            Some(("deny", key)) => (2, key),
            _ => return Err(misspelled(format!("`{part}`: write root=sympub1…,policy=…,deny=…"))),
        };
        keys[place] = Some(public_key(key)?);
    }
    match keys {
        [Some(root), Some(policy), Some(deny)] => Ok(Administrator { root, policy, deny }),
        _ => Err(misspelled("an administrator has a key each for root, policy and deny")),
    }
}

fn located(text: &str) -> Result<(PublicKey, String), Misspelled> {
    let (key, address) =
        text.split_once('@').ok_or_else(|| misspelled(format!("`{text}`: write sympub1…@HOST:PORT")))?;
    if !address.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok()) {
        return Err(misspelled(format!("`{address}`: an address is HOST:PORT")));
    }
    Ok((public_key(key)?, address.to_owned()))
}

fn public_key(text: &str) -> Result<PublicKey, Misspelled> {
    text.parse().map_err(|error| misspelled(format!("`{text}`: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_trust::KeyPair;

    fn key() -> String {
        KeyPair::from_seed(&[1; 32]).public().to_string()
    }

    #[test]
    fn shapes() {
        assert_eq!(shape("2-of-3").unwrap(), Shape { t: 2, n: 3 });
        for wrong in ["", "2", "3-of-2", "0-of-2", "2-of-", "2 of 3", "-1-of-3"] {
            assert!(shape(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn managers() {
        let member = manager(&format!("kfm-1={}@kfm1.example:7411,cloud=x,operator=a", key())).unwrap();
        assert_eq!((member.name.as_str(), member.address.as_str()), ("kfm-1", "kfm1.example:7411"));
        assert_eq!((member.operator.as_str(), member.cloud.as_str(), member.region.as_str()), ("a", "x", ""));
        for wrong in ["kfm-1", "kfm-1=x@h:1", "kfm-1=@h:1"] {
            assert!(manager(wrong).is_err(), "{wrong}");
        }
        for wrong in ["@h", "@:1", "@h:x", "@h:1,colour=red", ""] {
            assert!(manager(&format!("kfm-1={}{wrong}", key())).is_err(), "{wrong}");
        }
    }

    #[test]
    fn administrators() {
        let key = key();
        assert!(administrator(&format!("root={key},policy={key},deny={key}")).is_ok());
        assert!(administrator(&format!("root={key},policy={key}")).is_err());
        assert!(administrator(&format!("root={key},permit={key}")).is_err());
    }

    #[test]
    fn spreads_lead_back() {
        for word in ["none", "operator", "cloud", "region"] {
            assert_eq!(spread_word(spread(word).unwrap()), word);
        }
        assert!(spread("continent").is_err());
    }
}
