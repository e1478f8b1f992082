// The parts of ECharts that the report draws with; page.js uses them as `echarts`.
import { BarChart, GraphChart, HeatmapChart } from "echarts/charts";
import {
  DataZoomSliderComponent,
  GridComponent,
  TooltipComponent,
  VisualMapComponent,
} from "echarts/components";
import { init, use } from "echarts/core";
import { LabelLayout } from "echarts/features";
import { CanvasRenderer } from "echarts/renderers";

use([
  BarChart,
  CanvasRenderer,
  DataZoomSliderComponent,
  GraphChart,
  GridComponent,
  HeatmapChart,
  LabelLayout,
  TooltipComponent,
  VisualMapComponent,
]);

export { init };
