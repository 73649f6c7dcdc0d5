//! The report as a picture: a line for each row, a dot for each placement, four logarithmic
//! scales.

use std::fmt::Write;

use crate::placement::Placement;
use crate::report::{Cell, Report};
use crate::row::Transport;
use crate::units;
use crate::work::{ONEWAY, Work};

/// One scale beside the others.
struct Panel {
    title: &'static str,
    better: &'static str,
    figure: fn(&Report, &str, Transport, Placement) -> Option<f64>,
    unit: fn(f64) -> String,
}

const PANELS: [Panel; 4] = [
    Panel {
        title: "add, one by one, p50",
        better: "← better",
        figure: |report, row, transport, placement| {
            report.cell(row, transport, placement, Work::Add)?.p50()
        },
        unit: units::duration,
    },
    Panel {
        title: "add, 64 in flight",
        better: "better →",
        figure: |report, row, transport, placement| {
            let rate = |work| {
                report.cell(row, transport, placement, work).and_then(Cell::calls_per_second)
            };
            [rate(Work::Tasks(64)), rate(Work::Held(64))].into_iter().flatten().reduce(f64::max)
        },
        unit: units::rate,
    },
    Panel {
        title: "64 B one way",
        better: "better →",
        figure: |report, row, transport, placement| {
            report.cell(row, transport, placement, Work::Oneway(ONEWAY))?.calls_per_second()
        },
        unit: units::rate,
    },
    Panel {
        title: "echo 1 MiB, p50",
        better: "← better",
        figure: |report, row, transport, placement| {
            report.cell(row, transport, placement, Work::Echo(1 << 20))?.p50()
        },
        unit: units::duration,
    },
];

/// The whole picture.
pub fn picture(report: &Report) -> String {
    let mut out = String::new();
    // Writing into a `String` cannot fail.
    let _ = write_picture(&mut out, report);
    out
}

fn write_picture(out: &mut String, report: &Report) -> std::fmt::Result {
    let lines = report.lines();
    let width = LABELS + PANELS.len() as f64 * (PANEL + GAP);
    let bottom = TOP + lines.len() as f64 * LINE;
    let height = bottom + 62.0;
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" font-family=\"Helvetica, Arial, 'DejaVu Sans', \
         sans-serif\" font-size=\"12\">\n<rect width=\"{width}\" height=\"{height}\" \
         fill=\"white\"/>"
    )?;
    write_labels(out, &lines, width)?;
    for (position, panel) in PANELS.iter().enumerate() {
        let left = LABELS + position as f64 * (PANEL + GAP);
        write_panel(out, report, panel, left)?;
    }
    write_legend(out, bottom + 46.0)?;
    let note = format!("{}, {}", report.settings.date, report.host.sentence());
    text(out, width - GAP, bottom + 50.0, "end", "#888", &note)?;
    writeln!(out, "</svg>")
}

/// The names at the left, and a band behind every second family of rows.
fn write_labels(out: &mut String, lines: &[(&str, Transport)], width: f64) -> std::fmt::Result {
    let family = |row: &str| row.split('-').next().unwrap_or_default().to_owned();
    let mut families: Vec<String> = Vec::new();
    for (position, (row, transport)) in lines.iter().enumerate() {
        let (top, family) = (TOP + position as f64 * LINE, family(row));
        if !families.contains(&family) {
            families.push(family.clone());
        }
        if families.len() % 2 == 1 {
            writeln!(
                out,
                "<rect x=\"0\" y=\"{top}\" width=\"{width}\" height=\"{LINE}\" fill=\"#f4f5f7\"/>"
            )?;
        }
        let weight = if family == "farcall" { "bold" } else { "normal" };
        writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" font-weight=\"{weight}\" \
             fill=\"#222\">{row}, {transport}</text>",
            LABELS - 14.0,
            top + LINE / 2.0 + 4.0
        )?;
    }
    Ok(())
}

fn write_panel(out: &mut String, report: &Report, panel: &Panel, left: f64) -> std::fmt::Result {
    let lines = report.lines();
    let figure = |line: &(&str, Transport), placement: Placement| {
        (panel.figure)(report, line.0, line.1, placement).filter(|figure| *figure > 0.0)
    };
    let all = || lines.iter().flat_map(|line| Placement::ALL.map(|at| figure(line, at)));
    writeln!(
        out,
        "<text x=\"{left}\" y=\"22\" font-weight=\"bold\" fill=\"#222\">{}</text>",
        panel.title
    )?;
    text(out, left + PANEL, 22.0, "end", "#888", panel.better)?;
    let Some(scale) = Scale::around(all().flatten(), left) else { return Ok(()) };
    let bottom = TOP + lines.len() as f64 * LINE;
    for tick in scale.ticks() {
        let x = scale.x(tick);
        writeln!(
            out,
            "<path d=\"M{x:.1} {TOP}V{bottom}\" stroke=\"#d5d8dd\" stroke-width=\"1\"/>"
        )?;
        text(out, x, TOP - 8.0, "middle", "#666", &round((panel.unit)(tick)))?;
    }
    for (position, line) in lines.iter().enumerate() {
        let y = TOP + (position as f64 + 0.5) * LINE;
        let spots: Vec<(Placement, f64)> = Placement::ALL
            .into_iter()
            .filter_map(|at| Some((at, scale.x(figure(line, at)?))))
            .collect();
        let ends = spots.iter().map(|(_, x)| *x);
        let [from, to] = [ends.clone().fold(f64::MAX, f64::min), ends.fold(f64::MIN, f64::max)];
        if spots.len() > 1 {
            writeln!(
                out,
                "<path d=\"M{from:.1} {y}H{to:.1}\" stroke=\"#b4bac4\" stroke-width=\"2\"/>"
            )?;
        }
        for (placement, x) in spots {
            write_spot(out, placement, x, y)?;
        }
    }
    Ok(())
}

/// Told apart by shape as well as by colour.
fn write_spot(out: &mut String, placement: Placement, x: f64, y: f64) -> std::fmt::Result {
    match placement {
        Placement::OneCore => writeln!(
            out,
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"8\" height=\"8\" fill=\"#c2571a\"/>",
            x - 4.0,
            y - 4.0
        ),
        Placement::TwoCores => {
            writeln!(out, "<circle cx=\"{x:.1}\" cy=\"{y}\" r=\"5\" fill=\"#1f6feb\"/>")
        }
        Placement::Free => writeln!(
            out,
            "<path d=\"M{x:.1} {}l6 6l-6 6l-6 -6z\" fill=\"none\" stroke=\"#1a1a1a\" \
             stroke-width=\"1.6\"/>",
            y - 6.0
        ),
    }
}

fn write_legend(out: &mut String, y: f64) -> std::fmt::Result {
    for (position, placement) in Placement::ALL.into_iter().enumerate() {
        let x = 24.0 + position as f64 * 100.0;
        write_spot(out, placement, x, y)?;
        text(out, x + 12.0, y + 4.0, "start", "#222", &placement.to_string())?;
    }
    Ok(())
}

fn text(
    out: &mut String,
    x: f64,
    y: f64,
    anchor: &str,
    fill: &str,
    words: &str,
) -> std::fmt::Result {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{fill}\">{words}</text>"
    )
}

/// A tick's figure without its empty decimals: `1.00 ms` is `1 ms`.
fn round(figure: String) -> String {
    figure.replace(".00", "").replace(".0 ", " ").replace("0.10", "0.1")
}

/// A logarithmic scale across one panel.
struct Scale {
    left: f64,
    low: f64,
    high: f64,
}

impl Scale {
    /// Holds all `figures`, with some room at both ends.
    fn around(figures: impl Iterator<Item = f64>, left: f64) -> Option<Self> {
        let logs: Vec<f64> = figures.map(f64::log10).collect();
        let low = logs.iter().copied().reduce(f64::min)?;
        let high = logs.iter().copied().reduce(f64::max)?;
        let room = (0.06 * (high - low)).max(0.05);
        Some(Self { left, low: low - room, high: high + room })
    }

    fn x(&self, figure: f64) -> f64 {
        self.left + PANEL * (figure.log10() - self.low) / (self.high - self.low)
    }

    /// Powers of ten; where they are few, also twice and five times those.
    fn ticks(&self) -> Vec<f64> {
        let powers = self.low.floor() as i32..=self.high.ceil() as i32;
        let steps: &[f64] = match self.high - self.low {
            decades if decades > 2.2 => &[1.0],
            decades if decades > 1.4 => &[1.0, 3.0],
            _ => &[1.0, 2.0, 5.0],
        };
        powers
            .flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power)))
            .filter(|tick| (self.low..=self.high).contains(&tick.log10()))
            .collect()
    }
}

const LABELS: f64 = 170.0;
const PANEL: f64 = 230.0;
const GAP: f64 = 34.0;
const TOP: f64 = 56.0;
const LINE: f64 = 22.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_has_ticks_inside() {
        let scale = Scale::around([4e3, 9e4].into_iter(), 0.0).expect("two figures");
        assert_eq!(scale.ticks(), [1e4, 3e4, 1e5]);
        assert!(scale.x(4e3) > 0.0 && scale.x(9e4) < PANEL);
        assert!(Scale::around(std::iter::empty(), 0.0).is_none());
    }
}
