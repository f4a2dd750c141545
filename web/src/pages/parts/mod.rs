//! Building blocks of pages: cells, tables, figures, pickers, the shell around a page.

pub mod cells;
pub mod figure;
pub mod html;
pub mod picker;
pub mod table;

pub use figure::{Downloads, Figure, Strip};
pub use html::Html;
pub use picker::{Choice, Picker};
pub use table::{Cell, Column, Row, Table};
