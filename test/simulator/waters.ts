/** Lakes and reservoirs of the region and around it: a centre, and a radius in metres that holds the water. */
export interface Water {
  readonly name: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly radius: number;
}

export const WATERS: readonly Water[] = ([
  ['Edersee', 51.185, 8.97, 9_000],
  ['Singliser See', 51.065, 9.31, 1_000],
  ['Borkener See', 51.04, 9.27, 1_000],
  ['Seepark Kirchheim', 50.812, 9.515, 500],
  ['Haunetalsperre', 50.605, 9.73, 800],
  ['Antrifttalsperre', 50.776, 9.205, 600],
  ['Kinzigtalsperre', 50.345, 9.44, 1_500],
  ['Fuldaaue', 51.293, 9.497, 600],
  ['Seeburger See', 51.565, 10.16, 900],
  ['Göttinger Kiessee', 51.515, 9.925, 300],
  ['Talsperre Kelbra', 51.43, 11, 2_500],
  ['Sundhäuser See', 51.48, 10.83, 900],
  ['Alperstedter See', 51.09, 11.05, 1_500],
  ['Stotternheimer See', 51.07, 11.06, 1_000],
  ['Talsperre Großbrembach', 51.13, 11.27, 1_200],
  ['Speicher Dachwig', 51.07, 10.87, 1_000],
  ['Stausee Hohenfelden', 50.872, 11.185, 700],
  ['Speicher Wechmar', 50.88, 10.78, 600],
  ['Ohratalsperre', 50.77, 10.7, 1_500],
  ['Talsperre Heyda', 50.725, 10.955, 1_000],
  ['Talsperre Ratscher', 50.49, 10.78, 900],
  ['Froschgrundsee', 50.34, 11.01, 600],
  ['Goldbergsee', 50.29, 10.94, 500],
  ['Hohenwartetalsperre', 50.61, 11.48, 6_000],
  ['Bleilochtalsperre', 50.48, 11.7, 8_000],
  ['Talsperre Zeulenroda', 50.645, 11.99, 3_000],
  ['Talsperre Pöhl', 50.545, 12.185, 2_500],
  ['Koberbachtalsperre', 50.755, 12.39, 700],
  ['Stausee Glauchau', 50.81, 12.53, 700],
  ['Stausee Oberrabenstein', 50.81, 12.82, 400],
  ['Talsperre Windischleuba', 51.02, 12.46, 1_000],
  ['Haselbacher See', 51.06, 12.4, 1_500],
  ['Untreusee', 50.29, 11.915, 800],
  ['Förmitztalsperre', 50.205, 11.9, 1_200],
  ['Ellertshäuser See', 50.13, 10.37, 600],
  ['Baunacher Südsee', 49.975, 10.865, 800],
  ['Dechsendorfer Weiher', 49.63, 10.95, 500],
  ['Altmühlsee', 49.13, 10.72, 3_000],
  ['Großer Brombachsee', 49.13, 10.93, 4_000],
  ['Rothsee', 49.22, 11.19, 1_800],
] as const).map(([name, latitude, longitude, radius]) => ({ name, latitude, longitude, radius }));
