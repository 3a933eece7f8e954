//! Rules for text that several requests share, in the form `garde` takes.

/// Refuses control characters, which no name or title has use for.
pub fn no_control_characters(text: &str, (): &()) -> garde::Result {
    if text.chars().any(char::is_control) {
        return Err(garde::Error::new("must not contain control characters"));
    }
    Ok(())
}

/// Refuses control characters other than line breaks and tabs, and text of nothing but space.
pub fn written_text(text: &str, (): &()) -> garde::Result {
    if text
        .chars()
        .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    {
        return Err(garde::Error::new("must not contain control characters"));
    }
    not_blank(text, &())
}

/// Refuses text of nothing but space.
pub fn not_blank(text: &str, (): &()) -> garde::Result {
    if text.trim().is_empty() {
        return Err(garde::Error::new("must not be blank"));
    }
    Ok(())
}

/// [`no_control_characters`] where there is a value.
pub fn optional_without_control_characters(text: &Option<String>, ctx: &()) -> garde::Result {
    text.as_deref()
        .map_or(Ok(()), |text| no_control_characters(text, ctx))
}
