// A slave of npm's modbus-serial: node slave.js MODULES tcp PORT | rtu DEVICE UNIT
// Holding n is 1000+n, input n is 2000+n up to 99, coil and discrete n are set
// where n is odd. It tells each coil that is written, and says ready.
const [modules, how, where, unit] = process.argv.slice(2);
const modbus = require(modules + '/modbus-serial');
const illegal = () => Object.assign(new Error('illegal address'), { modbusErrorCode: 2 });
const upTo = (base) => (at) => { if (at > 99) throw illegal(); return base + at; };
const coils = {};
const vector = {
  getHoldingRegister: upTo(1000),
  getInputRegister: upTo(2000),
  getCoil: (at) => (at in coils ? coils[at] : at % 2 === 1),
  getDiscreteInput: (at) => at % 2 === 1,
  setCoil: (at, on) => { coils[at] = on; console.log(`coil ${at} ${on ? 1 : 0}`); },
};
const server = how === 'tcp'
  ? new modbus.ServerTCP(vector, { host: '127.0.0.1', port: Number(where), unitID: 1 })
  : new modbus.ServerSerial(vector, { port: where, baudRate: 9600, unitID: Number(unit) });
server.on('initialized', () => console.log('ready'));
server.on('socketError', () => {});
server.on('error', (err) => { console.error(String(err)); });
