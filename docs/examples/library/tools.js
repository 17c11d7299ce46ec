const HOURS = { saturday: "10 to 14", sunday: "closed" };

export default [
  {
    name: "opening_hours",
    description: "When the library is open on a day of the week.",
    parameters: { type: "object", properties: { day: { type: "string" } }, required: ["day"] },
    run: ({ day }) => HOURS[day.toLowerCase()] ?? "9 to 19",
  },
];
