//! Page weight over a year of traffic, and the pages as files to look at.

use std::io::Write as _;

use crate::data::Profile;

use super::{addresses, dataset, page, year};

fn brotli(bytes: &[u8]) -> usize {
    let mut writer = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 22);
    writer.write_all(bytes).unwrap();
    writer.flush().unwrap();
    writer.into_inner().len()
}

/// With `BELLWETHER_PAGES=FOLDER` the pages are written there, with a stylesheet beside them.
#[tokio::test]
async fn pages_of_a_year_are_light() {
    let fixture = year::fixture().await;
    let data = dataset(&fixture, Profile::Demo, year::names()).await;
    let folder = std::env::var_os("BELLWETHER_PAGES").map(std::path::PathBuf::from);
    let mut heaviest = (0, String::new());
    for address in addresses(year::MODEL, year::PROVIDER) {
        let html = page(&data, &address).await;
        let weight = brotli(html.as_bytes());
        assert!(weight < 70 << 10, "{address} weighs {weight} bytes compressed");
        if weight > heaviest.0 {
            heaviest = (weight, address.clone());
        }
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder).unwrap();
            let name: String =
                address.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect::<String>();
            let style = crate::assets::href("style.css");
            let local = html.replace(&format!("href=\"{style}\""), "href=\"style.css\"");
            std::fs::write(folder.join(format!("page{name}.html")), local).unwrap();
            std::fs::write(folder.join("style.css"), include_bytes!("../../../static/style.css")).unwrap();
        }
    }
    println!("heaviest page: {} with {} bytes", heaviest.1, heaviest.0);
}

#[test]
fn the_stylesheet_is_light() {
    let weight = brotli(include_bytes!("../../../static/style.css"));
    assert!(weight < 15 << 10, "{weight}");
}
