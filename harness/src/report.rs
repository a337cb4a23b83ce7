//! Results as files and as a table for people. It shows what was decided below: it runs nothing,
//! and never sees a [`Step`](crate::simulate::Step).

mod chart;
pub mod csv;
pub mod diagnosis;
pub mod html;
pub mod lint;
mod page;
mod plain;
pub mod recommend;
pub mod text;
pub mod view;
pub mod words;
