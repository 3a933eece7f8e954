//! Mail to people: over SMTP, or as `.eml` files in a folder for development.

use lettre::{
    Address, AsyncFileTransport, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox, SinglePart,
        header::{ContentTransferEncoding, ContentType},
    },
};

use crate::Config;

/// Why mail cannot be sent. No address and no text is in it.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    #[error("no mail leaves this system: set SMTP_URL, or MAIL_DIR for development")]
    NotConfigured,
    #[error("SMTP_URL is not smtp:// or smtps://user:password@host:port")]
    Url(#[source] lettre::transport::smtp::Error),
    #[error("MAIL_FROM is not `name <address>`")]
    From(#[source] lettre::address::AddressError),
    #[error("the recipient's address cannot be written to")]
    Recipient,
    #[error("the mail server does not take the mail")]
    Smtp(#[source] lettre::transport::smtp::Error),
    #[error("the mail cannot be written into MAIL_DIR")]
    Folder(#[source] lettre::transport::file::Error),
}

/// What is to be told to whom.
#[derive(Debug)]
pub struct Mail<'a> {
    pub to: &'a str,
    pub subject: &'a str,
    pub text: String,
}

/// Sends mail. Cheap to clone.
#[derive(Clone)]
pub struct Mailer {
    from: Mailbox,
    way: Way,
}

#[derive(Clone)]
enum Way {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Folder(AsyncFileTransport<Tokio1Executor>),
    None,
}

impl Mailer {
    pub fn new(config: &Config) -> Result<Self, MailError> {
        let from = config.mail_from.parse().map_err(MailError::From)?;
        let way = match (&config.smtp_url, &config.mail_dir) {
            (Some(url), _) => {
                let smtp = AsyncSmtpTransport::<Tokio1Executor>::from_url(url);
                Way::Smtp(smtp.map_err(MailError::Url)?.build())
            }
            (None, Some(folder)) => Way::Folder(AsyncFileTransport::new(folder)),
            (None, None) => Way::None,
        };
        Ok(Self { from, way })
    }

    pub async fn send(&self, mail: Mail<'_>) -> Result<(), MailError> {
        let to: Address = mail.to.parse().map_err(|_error| MailError::Recipient)?;
        // Readable as it is where nothing but ASCII is in a line: tokens are not torn apart.
        let part = SinglePart::builder()
            .header(ContentType::TEXT_PLAIN)
            .header(ContentTransferEncoding::QuotedPrintable)
            .body(mail.text);
        let message = Message::builder()
            .from(self.from.clone())
            .to(to.into())
            .subject(mail.subject)
            .singlepart(part)
            .map_err(|_error| MailError::Recipient)?;
        match &self.way {
            Way::Smtp(smtp) => smtp.send(message).await.map(drop).map_err(MailError::Smtp),
            Way::Folder(folder) => folder
                .send(message)
                .await
                .map(drop)
                .map_err(MailError::Folder),
            Way::None => Err(MailError::NotConfigured),
        }
    }
}
